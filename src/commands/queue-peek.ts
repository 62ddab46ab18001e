import { UsageError } from "../model/errors.ts";
import { maskSecrets } from "../model/secret.ts";
import { deadSamples, type QueuedSample, queueLine, waitingSamples } from "../queue/lines.ts";
import { queueSinks } from "../queue/sinks.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print, stateArg } from "./command.ts";
import { commandQueue, sinkArg } from "./queue-args.ts";
import { table } from "./table.ts";

export default defineMlmonCommand({
  name: "queue peek",
  description: "Shows the samples that a sink gets next, or its dead letters with the receiver's words",
  args: {
    ...commonArgs,
    ...jsonArg,
    ...stateArg,
    ...sinkArg,
    dead: { type: "boolean", description: "Dead letters, the oldest first, instead of what waits" },
    limit: { type: "string", description: "Samples of each sink; 10 by default", valueHint: "N" },
  },
  async run({ args, config, signal }) {
    const limit = whole(args.limit ?? "10");
    const queue = await commandQueue({ args, config, signal });
    const { reading } = queue;
    const samples: QueuedSample[] = [];
    for (const sink of await reading(async (journal) => queueSinks(journal, args.sink))) {
      let left = limit;
      const queued = args.dead ? deadSamples(reading, { sink }) : waitingSamples(reading, sink);
      for await (const sample of queued) {
        if (left-- === 0) break;
        samples.push(sample);
      }
    }
    await print(maskSecrets(args.json ? samples.map(queueLine).join("") : describe(samples, args.dead === true)));
  },
});

function describe(samples: readonly QueuedSample[], dead: boolean): string {
  if (samples.length === 0) return dead ? "No dead letters\n" : "Nothing waits\n";
  const head = ["SINK", "TIME", "RUN", "NAME", "STEP", "VALUE", ...(dead ? ["REASON"] : [])];
  return table(head, samples.map(row));
}

function row({ sink, sample, reason }: QueuedSample): readonly string[] {
  const { name, value, time, step, run } = sample;
  const cells = [sink, shownTime(time), run?.id ?? "", name, String(step), String(value)];
  return reason === undefined ? cells : [...cells, reason];
}

/** A logged time may be beyond what a date can say. */
function shownTime(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}

function whole(value: string): number {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new UsageError(`Cannot use --limit "${value}": expected a whole number above 0`);
}
