import process from "node:process";
import { UsageError } from "../model/errors.ts";
import { deadSamples, queueLine, waitingSamples } from "../queue/lines.ts";
import { queueSinks } from "../queue/sinks.ts";
import { commonArgs, defineMlmonCommand, print, stateArg } from "./command.ts";
import { commandQueue, reasonArg, sinkArg } from "./queue-args.ts";

/** Written at once, so that a million lines are not a million writes. */
const chunkLength = 256 * 1024;

export default defineMlmonCommand({
  name: "queue export",
  description: "Prints all that waits, or all dead letters, as NDJSON",
  args: {
    ...commonArgs,
    ...stateArg,
    ...sinkArg,
    ...reasonArg,
    dead: { type: "boolean", description: "Dead letters instead of what waits" },
  },
  async run({ args, config, signal }) {
    if (args.reason && !args.dead) throw new UsageError("Only dead letters have a reason: add --dead");
    const queue = await commandQueue({ args, config, signal });
    const { reading } = queue;
    let chunk = "";
    for (const sink of await reading(async (journal) => queueSinks(journal, args.sink))) {
      const samples = args.dead ? deadSamples(reading, { sink, reason: args.reason }) : waitingSamples(reading, sink);
      for await (const sample of samples) {
        chunk += queueLine(sample);
        if (chunk.length < chunkLength) continue;
        await print(chunk);
        chunk = "";
        // Nobody reads on: mlmon queue export | head
        if (signal.aborted || !process.stdout.writable) return;
      }
    }
    await print(chunk);
  },
});
