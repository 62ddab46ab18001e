import { UsageError } from "../model/errors.ts";
import { backfill, planBackfill } from "../pipeline/backfill.ts";
import { collectPreview } from "../preview/collect.ts";
import { formatJson, formatText } from "../preview/format.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print } from "./command.ts";
import { describe, isComplete, patience, tell, timeoutArg } from "./export-result.ts";
import { moment } from "./moment.ts";
import { showProgress } from "./progress.ts";

export default defineMlmonCommand({
  name: "backfill",
  description: "Reads the history from MLflow again and delivers it to one sink, beside a running mlmon",
  args: {
    ...commonArgs,
    ...jsonArg,
    sink: { type: "string", description: "The sink that gets it", valueHint: "ID" },
    since: {
      type: "string",
      description: "Only what was logged since: a date, or 2h for two hours ago",
      valueHint: "2h",
    },
    until: {
      type: "string",
      description: "Only what was logged before: a date, or 1h for an hour ago",
      valueHint: "1h",
    },
    experiment: {
      type: "string",
      description: "Only this experiment, or those of a pattern such as 'vision-*'; all by default",
      valueHint: "NAME",
    },
    "dry-run": { type: "boolean", description: "Print the first requests instead, and send nothing" },
    ...timeoutArg,
  },
  async run({ args, config: load, log, signal }) {
    const range = {
      since: moment("since", args.since, Date.now()),
      until: moment("until", args.until, Date.now()),
      experiment: args.experiment,
    };
    if (range.since !== undefined && range.until !== undefined && range.since >= range.until) {
      throw new UsageError(`Cannot backfill from ${args.since} until ${args.until}: the range is empty`);
    }
    const giveUpMs = patience(args.timeout);
    const config = await load(args.sink ? { ofSink: args.sink } : "ignore");
    const ids = config.sinks.map(({ id }) => id).join(", ");
    if (!args.sink) throw new UsageError(`Cannot backfill without --sink ID: expected one of ${ids}`);
    const sink = config.sinks.find(({ id }) => id === args.sink);
    if (!sink) throw new UsageError(`Cannot backfill the sink "${args.sink}": expected one of ${ids}`);
    const onProgress = showProgress();
    if (args["dry-run"]) {
      const plan = planBackfill(config, sink, range);
      const preview = await collectPreview({ config: plan.config, log, signal, limit: 10, now: Date.now, onProgress });
      plan.refuseUnknown();
      await print((args.json ? formatJson : formatText)(preview));
      return 0;
    }
    const result = await backfill({ config, sink, range, log, signal, giveUpMs, onProgress });
    await tell(result, [sink], args.json ? `${JSON.stringify(result)}\n` : describe(result, false));
    return isComplete(result) && !signal.aborted ? 0 : 1;
  },
});
