import { setTimeout as sleep } from "node:timers/promises";
import type { Point } from "../e2e/judge.ts";
import type { MlflowRest } from "./mlflow-rest.ts";

/** Several trainings that write, into one experiment, points whose value is their number in their series. */
export interface Trainings {
  readonly experiment: string;
  readonly runs: readonly string[];
  /** Points that MLflow has taken so far. */
  written(): number;
  /** Writes `count` points more into every series, now. */
  write(count: number): Promise<void>;
  /** Writes a few points after each other until `rest` is called. */
  go(everyMs?: number): void;
  /** Resolves when the write under way is in MLflow; throws what a write has thrown. */
  rest(): Promise<void>;
  /** What MLflow itself holds in the end. */
  points(): Promise<readonly Point[]>;
}

/** The metrics of each run. */
export const keys = ["loss", "accuracy"] as const;

/** Makes the experiment and its runs; nothing is written yet. */
export async function createTrainings(mlflow: MlflowRest, experiment: string, count = 3): Promise<Trainings> {
  const id = await mlflow.createExperiment(experiment);
  const runs: string[] = [];
  for (let index = 0; index < count; index++) runs.push(await mlflow.createRun(id, `training ${index}`));
  const next = new Map<string, number>();
  const begun = Date.now();
  let written = 0;
  let going: { stop: boolean; done: Promise<void> } | undefined;

  // One write after the other: a point that comes late into MLflow would be late everywhere.
  let writing: Promise<void> = Promise.resolve();
  function writeTo(run: string, count: number): Promise<void> {
    writing = writing.then(() => writeNext(run, count));
    return writing;
  }

  async function writeNext(run: string, count: number): Promise<void> {
    const from = next.get(run) ?? 0;
    for (let at = from; at < from + count; at += pointsAtOnce) {
      const steps = Array.from({ length: Math.min(pointsAtOnce, from + count - at) }, (_, index) => at + index);
      const points = steps.flatMap((step) =>
        keys.map((key) => ({ run, key, value: String(step), time: begun + 7 * step, step })),
      );
      next.set(run, at + steps.length);
      await mlflow.logPoints(run, points);
      written += points.length;
    }
  }

  async function keepWriting(state: { stop: boolean }, everyMs: number): Promise<void> {
    for (let turn = 0; !state.stop; turn++) {
      const run = runs[turn % runs.length];
      if (run) await writeTo(run, pointsATurn);
      await sleep(everyMs);
    }
  }

  return {
    experiment,
    runs,
    written: () => written,
    async write(count) {
      for (const run of runs) await writeTo(run, count);
    },
    go(everyMs = 150) {
      const state = { stop: false };
      going = { ...state, done: Promise.resolve() };
      const turning = going;
      turning.done = keepWriting(turning, everyMs);
      // Seen by whoever rests; until then it must not end the process.
      turning.done.catch(() => undefined);
    },
    async rest() {
      if (!going) return;
      going.stop = true;
      await going.done;
      going = undefined;
    },
    async points() {
      const all = await Promise.all(runs.flatMap((run) => keys.map((key) => mlflow.history(run, key))));
      return all.flat();
    },
  };
}

const pointsAtOnce = 400;
const pointsATurn = 20;
