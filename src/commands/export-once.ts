import { UsageError } from "../model/errors.ts";
import { parseDuration } from "../model/option.ts";
import { type ExportResult, exportOnce } from "../pipeline/export-once.ts";
import { commonArgs, defineMlmonCommand, print } from "./command.ts";
import { showProgress } from "./progress.ts";

export default defineMlmonCommand({
  name: "export-once",
  description: "Reads all there is, delivers it, and ends",
  args: {
    ...commonArgs,
    state: {
      type: "string",
      description: "Export only what is new since the last time; nothing is kept without it",
      valueHint: "DIR",
    },
    timeout: {
      type: "string",
      description: "Give a sink up that makes no progress for so long; 60s by default",
      valueHint: "60s",
    },
  },
  async run({ args, config: load, log, signal }) {
    const giveUpMs = parseDuration(args.timeout ?? "60s");
    if (!giveUpMs)
      throw new UsageError(`Cannot use --timeout "${args.timeout}": expected a duration such as "60s" or "5m"`);
    const config = await load("required");
    const result = await exportOnce({
      config,
      log,
      signal,
      giveUpMs,
      stateDir: args.state || undefined,
      onProgress: showProgress(),
    });
    await print(args.json ? `${JSON.stringify(result)}\n` : describe(result, args.state !== undefined));
    const complete = result.sinks.every(({ waiting, deadLetters }) => waiting === 0 && deadLetters === 0);
    return complete && !signal.aborted ? 0 : 1;
  },
});

function describe({ read, filtered, sinks, seconds }: ExportResult, kept: boolean): string {
  const lines = sinks.map(({ id, delivered, unmatched = 0, refused = 0, deadLetters, waiting, error }) => {
    const dead = deadLetters > 0 ? `, ${deadLetters} refused for good` : "";
    const left = unmatched + refused > 0 ? `, ${unmatched + refused} left out` : "";
    const rest = waiting > 0 ? `, ${waiting} not delivered${kept ? " and kept" : ""}` : "";
    return `${id}: ${delivered} delivered${left}${dead}${rest}${error ? ` (${error})` : ""}\n`;
  });
  const dropped = filtered > 0 ? `, ${filtered} filtered` : "";
  return `${read} samples read${dropped} in ${seconds.toFixed(1)} s\n${lines.join("")}`;
}
