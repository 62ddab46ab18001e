import * as v from "valibot";
import { parseDuration } from "../config/option.ts";
import { mlflowOptions } from "../mlflow/options.ts";
import { createWriter } from "../mlflow/write.ts";
import { UsageError } from "../model/errors.ts";
import { simulateLive, simulatePast } from "../sample/simulate.ts";
import { commonArgs, defineMlmonCommand, print } from "./command.ts";
import { showProgress } from "./progress.ts";

export default defineMlmonCommand({
  name: "generate-sample",
  description: "Logs a small training to MLflow; --live keeps it going",
  args: {
    ...commonArgs,
    "tracking-uri": {
      type: "string",
      description: "The MLflow server; MLFLOW_TRACKING_URI by default",
      valueHint: "URL",
    },
    runs: { type: "string", description: "How many runs; 6 by default", valueHint: "N" },
    steps: { type: "string", description: "Steps of a run; 50 by default", valueHint: "N" },
    seed: { type: "string", description: "The same seed logs the same values; 1 by default", valueHint: "N" },
    live: { type: "boolean", description: "Go on with two trainings at a time until Ctrl-C" },
    interval: { type: "string", description: "Time between two steps with --live; 1s by default", valueHint: "1s" },
  },
  async run({ args, log, signal }) {
    const uri = args["tracking-uri"] || undefined;
    const parsed = v.safeParse(mlflowOptions, uri === undefined ? {} : { trackingUri: uri });
    if (!parsed.success)
      throw new UsageError(`Cannot use --tracking-uri "${uri}": expected ${parsed.issues[0].message}`);
    const options = parsed.output;
    const writer = createWriter(options);
    const shape = { writer, signal, steps: whole("steps", args.steps, 50), seed: whole("seed", args.seed, 1) };
    const progress = showProgress();
    const made = await simulatePast({
      ...shape,
      runs: whole("runs", args.runs, 6),
      onProgress: (done, total) => progress("generate-sample", { done, total, unit: "runs" }),
    });
    if (args.json) await print(`${JSON.stringify(made)}\n`);
    else
      await print(
        `Logged ${made.runs} runs with ${made.points} points to ${made.experiments.join(", ")}\nNext: mlmon dry-run\n`,
      );
    if (!args.live) return;
    const stepMs = parseDuration(args.interval ?? "1s");
    if (!stepMs)
      throw new UsageError(`Cannot use --interval "${args.interval}": expected a duration such as "1s" or "500ms"`);
    log.info("Trainings go on until Ctrl-C", { stepMs });
    await simulateLive({ ...shape, seed: shape.seed + 1, parallel: 2, stepMs });
  },
});

function whole(flag: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new UsageError(`Cannot use --${flag} "${value}": expected a whole number above 0`);
}
