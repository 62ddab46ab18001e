import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { UsageError } from "../model/errors.ts";
import { dropWaiting } from "../queue/drop-waiting.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print, stateArg } from "./command.ts";
import { moment } from "./moment.ts";
import { commandQueue, describeCounts, reasonArg, sinkArg } from "./queue-args.ts";

export default defineMlmonCommand({
  name: "queue drop",
  description: "Deletes dead letters, or what waits, for good; asks before it does",
  args: {
    ...commonArgs,
    ...jsonArg,
    ...stateArg,
    ...sinkArg,
    ...reasonArg,
    before: {
      type: "string",
      description: "Only what was refused before: a date, or 7d for seven days ago",
      valueHint: "7d",
    },
    waiting: {
      type: "boolean",
      description: "Delete what waits for the sink instead of its dead letters; needs --sink",
    },
    yes: { type: "boolean", description: "Do not ask" },
  },
  async run({ args, config, signal }) {
    const filter = { sink: args.sink, reason: args.reason, before: moment("before", args.before, Date.now()) };
    const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
    if (args.waiting && !args.sink) {
      const asking = args.yes || isTerminal ? "" : " and, as this is no terminal to ask on, --yes";
      throw new UsageError(`Cannot drop what waits without --sink ID${asking}`);
    }
    if (!args.yes && !isTerminal) throw new UsageError("Cannot ask whether to drop, as this is no terminal: add --yes");
    const queue = await commandQueue({ args, config, signal });
    if (!args.yes) {
      const counts = await queue.reading(async (journal) =>
        args.waiting ? dropWaiting(journal, filter, async () => {}) : journal.dead.counts(filter),
      );
      const wanted = counts.length === 0 || (await confirm(`Drop ${describeCounts(counts)}? [y/N] `, signal));
      if (!wanted) return print(args.json ? '{"dropped":[]}\n' : "Nothing was dropped\n");
    }
    const dropped = await queue.change(args.waiting ? "drop-waiting" : "drop", filter);
    if (args.json) return print(`${JSON.stringify({ dropped })}\n`);
    const nothing = args.waiting ? "Nothing waits" : "No dead letters to drop";
    await print(dropped.length === 0 ? `${nothing}\n` : `Dropped ${describeCounts(dropped)}\n`);
  },
});

/** Asks on stderr, as stdout is for results. */
async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  // As a line and not by keys: Ctrl-C then is the signal that it is everywhere else.
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  // Ctrl-D ends the input without an answer.
  const ended = once(terminal, "close").then(() => "");
  try {
    const answer = await Promise.race([terminal.question(question, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}
