import { maskSecrets } from "../model/secret.ts";
import type { QueueReport, SinkQueue } from "../queue/report.ts";
import { ago, bytes } from "../server/quantities.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print, stateArg } from "./command.ts";
import { commandQueue } from "./queue-args.ts";
import { table } from "./table.ts";

export default defineMlmonCommand({
  name: "queue",
  description: "Shows what waits for each sink and its dead letters; see also queue peek, export, replay, drop",
  args: { ...commonArgs, ...jsonArg, ...stateArg },
  async run({ args, config, signal }) {
    const queue = await commandQueue({ args, config, signal });
    const report = await queue.report();
    await print(maskSecrets(args.json ? `${JSON.stringify(report)}\n` : describe(report)));
  },
});

function describe({ startedAt, journalBytes, sinks }: QueueReport): string {
  const running = startedAt === null ? "mlmon does not run" : "mlmon runs";
  const head = `${running}; the journal holds ${bytes(journalBytes)}\n`;
  if (sinks.length === 0) return `${head}No sink has a queue yet\n`;
  const rows = table(["SINK", "STATE", "WAITING", "BYTES", "OLDEST", "DEAD LETTERS"], sinks.map(row));
  const errors = sinks.flatMap(({ id, lastError }) => (lastError ? [`${id}: ${lastError}\n`] : []));
  const isDead = sinks.some(({ deadLetters }) => Object.keys(deadLetters).length > 0);
  const next = isDead ? "Next: mlmon queue peek --dead, then mlmon queue replay or mlmon queue drop\n" : "";
  return `${head}\n${rows}\n${errors.join("")}${next}`;
}

function row({ id, state, waiting, bytes: size, oldestSeconds, deadLetters }: SinkQueue): readonly string[] {
  const dead = Object.entries(deadLetters).map(([reason, samples]) => `${samples} ${reason}`);
  const oldest = oldestSeconds === null ? "" : ago(0, oldestSeconds * 1000);
  return [id, state, String(waiting), bytes(size), oldest, dead.join(", ")];
}
