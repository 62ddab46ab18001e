import { setTimeout as sleep } from "node:timers/promises";
import type { LoggedPoint, Writer } from "../mlflow/write.ts";
import { planTrainings, sampleTag, type Training } from "./training.ts";

/** What is logged, and by whom. */
export interface SimulateOptions {
  readonly writer: Writer;
  readonly runs: number;
  /** Steps of one run. */
  readonly steps: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly now?: () => number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was logged. */
export interface Simulated {
  readonly experiments: readonly string[];
  readonly runs: number;
  readonly points: number;
}

/** Logs finished trainings whose steps lie in the minutes before now; none is left running. */
export async function simulatePast(options: SimulateOptions): Promise<Simulated> {
  const { writer, runs, steps, seed, signal, now = Date.now, onProgress } = options;
  const experiments = new Map<string, string>();
  const trainings = planTrainings(runs, seed);
  let points = 0;
  let made = 0;
  for (const training of trainings) {
    if (signal.aborted) break;
    const stepMs = 1000;
    const start = now() - steps * stepMs;
    const run = await begin(writer, experiments, training, start);
    const last = Math.max(1, Math.floor(steps * training.until));
    const all = Array.from({ length: last }, (_, step) =>
      pointsOf(training, step, steps, start + step * stepMs),
    ).flat();
    for (let from = 0; from < all.length; from += 1000) await writer.logBatch(run, all.slice(from, from + 1000));
    points += all.length;
    await writer.updateRun(run, { status: training.end, endTime: now() });
    made += 1;
    onProgress?.(made, trainings.length);
  }
  return { experiments: [...experiments.keys()], runs: made, points };
}

/** The same, at the pace of a training. */
export interface LiveOptions extends Omit<SimulateOptions, "runs" | "onProgress"> {
  /** Trainings at the same time. */
  readonly parallel: number;
  /** Time between two steps, ms. */
  readonly stepMs: number;
  /** Called after the end of each run. */
  readonly onEnded?: (run: string) => Promise<void>;
}

/**
 * Keeps trainings going until the signal fires: as one ends the next one starts. Running ones are ended as killed.
 * Rejects with what MLflow has failed with, when all trainings have stopped.
 */
export async function simulateLive(options: LiveOptions): Promise<void> {
  const trainings = planTrainings(1000, options.seed);
  const experiments = new Map<string, string>();
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  let next = 0;
  async function lane(offset: number): Promise<void> {
    await pause(offset * options.stepMs, signal);
    while (!signal.aborted) {
      const training = trainings[next % trainings.length];
      next += 1;
      if (training) await train(training, experiments, { ...options, signal });
    }
  }
  const lanes = Array.from({ length: options.parallel }, async (_, index) => {
    try {
      await lane(index);
    } catch (error) {
      failed.abort(error);
    }
  });
  await Promise.all(lanes);
  if (failed.signal.aborted) throw failed.signal.reason;
}

async function train(training: Training, experiments: Map<string, string>, options: LiveOptions): Promise<void> {
  const { writer, steps, stepMs, signal, now = Date.now } = options;
  const run = await begin(writer, experiments, training, now());
  const last = Math.max(1, Math.floor(steps * training.until));
  for (let step = 0; step < last && !signal.aborted; step++) {
    await writer.logBatch(run, pointsOf(training, step, steps, now()));
    await pause(stepMs, signal);
  }
  await writer.updateRun(run, { status: signal.aborted ? "KILLED" : training.end, endTime: now() });
  await options.onEnded?.(run);
}

async function begin(
  writer: Writer,
  experiments: Map<string, string>,
  training: Training,
  start: number,
): Promise<string> {
  const { experiment, name, stage, params, tags } = training;
  const id =
    experiments.get(experiment) ??
    (await writer.findExperiment(experiment)) ??
    (await writer.createExperiment(experiment, sampleTag));
  experiments.set(experiment, id);
  const stageTag = stage === "None" ? {} : { "mlflow.model.stage": stage };
  const run = await writer.createRun(id, { name, startTime: start, tags: { ...tags, ...stageTag, ...sampleTag } });
  await writer.logParams(run, params);
  return run;
}

function pointsOf(training: Training, step: number, steps: number, timestamp: number): readonly LoggedPoint[] {
  return Object.entries(training.metrics(step, steps)).map(([key, value]) => ({ key, value, timestamp, step }));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
