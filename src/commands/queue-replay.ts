import { commonArgs, defineMlmonCommand, jsonArg, print, stateArg } from "./command.ts";
import { moment } from "./moment.ts";
import { commandQueue, describeCounts, reasonArg, sinkArg } from "./queue-args.ts";

export default defineMlmonCommand({
  name: "queue replay",
  description: "Sends dead letters back to delivery, once their receiver is mended",
  args: {
    ...commonArgs,
    ...jsonArg,
    ...stateArg,
    ...sinkArg,
    ...reasonArg,
    since: {
      type: "string",
      description: "Only what was refused since: a date, or 2h for two hours ago",
      valueHint: "2h",
    },
  },
  async run({ args, config, signal }) {
    const filter = { sink: args.sink, reason: args.reason, since: moment("since", args.since, Date.now()) };
    const queue = await commandQueue({ args, config, signal });
    const replayed = await queue.change("replay", filter);
    const { startedAt } = await queue.report();
    if (args.json) return print(`${JSON.stringify({ replayed, running: startedAt !== null })}\n`);
    if (replayed.length === 0) return print("No dead letters to replay\n");
    const when = startedAt === null ? "to be delivered when mlmon runs next" : "back to delivery";
    await print(`Sent ${when}: ${describeCounts(replayed)}\n`);
  },
});
