import * as v from "valibot";
import type { ResolvedConfig } from "../config/resolved.ts";
import { createClient } from "../mlflow/client.ts";
import { connect } from "../mlflow/connect.ts";
import { type MlflowOptions, mlflowOptions } from "../mlflow/options.ts";
import { writerOn } from "../mlflow/write.ts";
import { UsageError } from "../model/errors.ts";
import { parseDuration } from "../model/option.ts";
import { plural } from "../model/plural.ts";
import { type DeletedSamples, deleteSamples } from "../sample/delete-samples.ts";
import { simulateLive, simulatePast } from "../sample/simulate.ts";
import { commonArgs, defineMlmonCommand, jsonArg, print } from "./command.ts";
import { showProgress } from "./progress.ts";

export default defineMlmonCommand({
  name: "generate-sample",
  description: "Logs a small training to MLflow; --live keeps it going",
  args: {
    ...commonArgs,
    ...jsonArg,
    "tracking-uri": {
      type: "string",
      description: "The MLflow server; by default the one that the configuration reads",
      valueHint: "URL",
    },
    runs: { type: "string", description: "How many runs; 6 by default", valueHint: "N" },
    steps: { type: "string", description: "Steps of a run; 50 by default", valueHint: "N" },
    seed: { type: "string", description: "The same seed logs the same values; 1 by default", valueHint: "N" },
    delete: { type: "boolean", description: "Delete every run and experiment that was logged so, instead" },
    live: { type: "boolean", description: "Go on with two trainings at a time until Ctrl-C" },
    interval: { type: "string", description: "Time between two steps with --live; 1s by default", valueHint: "1s" },
  },
  async run({ args, log, signal, config }) {
    if (args.delete) refuseBeside(args);
    const stepMs = duration("interval", args.interval, "1s");
    const shape = { signal, steps: whole("steps", args.steps, 50), seed: whole("seed", args.seed, 1) };
    const runs = whole("runs", args.runs, 6);
    const uri = args["tracking-uri"] || undefined;
    const options = uri === undefined ? mlflowOf(await config("ignore")) : mlflowAt(uri);
    // Ctrl-C ends the waiting for a server, but lets what has begun be ended.
    await connect(createClient(options, { signal }), undefined, log);
    const client = createClient(options);
    await connect(client, options.workspace, log);
    const writer = writerOn(client);
    if (args.delete) {
      const deleted = await deleteSamples(client, writer);
      return print(args.json ? `${JSON.stringify(deleted)}\n` : describeDeleted(deleted));
    }
    const progress = showProgress();
    const made = await simulatePast({
      ...shape,
      writer,
      runs,
      onProgress: (done, total) => progress("generate-sample", { done, total, unit: "runs" }),
    });
    if (args.json) await print(`${JSON.stringify(made)}\n`);
    else
      await print(
        `Logged ${plural(made.runs, "run")} with ${made.points} points to ${made.experiments.join(", ")} at ${new URL(options.trackingUri).origin}\nNext: mlmon dry-run; mlmon generate-sample --delete deletes them again\n`,
      );
    if (!args.live || signal.aborted) return;
    log.info("Trainings go on until Ctrl-C", { stepMs });
    await simulateLive({ ...shape, writer, seed: shape.seed + 1, parallel: 2, stepMs });
  },
});

/** Whoever names so many runs might expect that no more of them are deleted. */
function refuseBeside(args: Readonly<Record<string, unknown>>): void {
  const [given] = ["runs", "steps", "seed", "live", "interval"].filter((flag) => args[flag]);
  if (given) throw new UsageError(`Cannot use --delete and --${given} together: it deletes all that was logged so`);
}

function describeDeleted({ runs, experiments, kept }: DeletedSamples): string {
  const others = kept.length > 0 ? `Kept ${kept.join(", ")}, which hold other runs\n` : "";
  return `Deleted ${plural(runs, "run")} and ${plural(experiments.length, "experiment")}\n${others}`;
}

/** The server of the configuration's first MLflow source, with its credentials. */
function mlflowOf({ origin, sources }: ResolvedConfig): MlflowOptions {
  const source = sources.find(({ type }) => type === "mlflow");
  if (source) return v.parse(mlflowOptions, source.options);
  throw new UsageError(`The configuration "${origin}" reads no MLflow: name one with --tracking-uri`);
}

function mlflowAt(trackingUri: string): MlflowOptions {
  const parsed = v.safeParse(mlflowOptions, { trackingUri });
  if (parsed.success) return parsed.output;
  throw new UsageError(`Cannot use --tracking-uri "${trackingUri}": expected ${parsed.issues[0].message}`);
}

function duration(flag: string, value: string | undefined, fallback: string): number {
  const ms = parseDuration(value ?? fallback);
  if (ms) return ms;
  throw new UsageError(`Cannot use --${flag} "${value}": expected a duration such as "1s" or "500ms"`);
}

function whole(flag: string, value: string | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new UsageError(`Cannot use --${flag} "${value}": expected a whole number above 0`);
}
