import { randomBytes } from "node:crypto";
import { createSeries, type Series, type StoredPoint } from "./series.ts";

/** One experiment of the demo's MLflow. */
export interface StoredExperiment {
  readonly id: string;
  readonly name: string;
  /** Unix ms. */
  readonly created: number;
}

/** The states of a run, as MLflow writes them. */
export const statuses = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] as const;

/** One run of it. */
export interface StoredRun {
  readonly id: string;
  readonly experiment: string;
  name: string;
  status: (typeof statuses)[number];
  /** Unix ms, as is the end. */
  readonly startTime: number;
  endTime: number | undefined;
  isDeleted: boolean;
  readonly tags: Map<string, string>;
  readonly params: Map<string, string>;
  /** By key. */
  readonly metrics: Map<string, Series>;
}

/** What the demo's MLflow holds; in memory and bounded. */
export interface DemoStore {
  readonly experiments: ReadonlyMap<string, StoredExperiment>;
  readonly runs: ReadonlyMap<string, StoredRun>;
  experimentByName(name: string): StoredExperiment | undefined;
  createExperiment(name: string): StoredExperiment;
  /** Makes a running run; beyond the cap the oldest ended one is dropped, as if by `mlflow gc`. */
  createRun(experiment: string, run: { readonly name: string; readonly startTime: number }): StoredRun;
  log(run: StoredRun, points: readonly StoredPoint[]): void;
  /** Removes a run for good, as `mlflow gc` does with a deleted one. */
  removeRun(id: string): void;
  /** Removes an experiment, which no list shows any more; its runs are the caller's to remove. */
  removeExperiment(id: string): void;
}

/** The bounds of the store. */
export interface DemoStoreOptions {
  /** 200 by default: an hour of the demo. */
  readonly maxRuns?: number;
  readonly now?: () => number;
}

/** Makes a store that holds what a fresh MLflow does: the experiment `Default`. */
export function createDemoStore({ maxRuns = 200, now = Date.now }: DemoStoreOptions = {}): DemoStore {
  const experiments = new Map<string, StoredExperiment>();
  const runs = new Map<string, StoredRun>();

  let created = 0;

  function createExperiment(name: string): StoredExperiment {
    const experiment = { id: String(created++), name, created: now() };
    experiments.set(experiment.id, experiment);
    return experiment;
  }
  createExperiment("Default");

  return {
    experiments,
    runs,
    createExperiment,
    experimentByName: (name) => experiments.values().find((experiment) => experiment.name === name),
    createRun(experiment, { name, startTime }) {
      while (runs.size >= maxRuns) runs.delete(oldest(runs));
      const run: StoredRun = {
        id: randomBytes(16).toString("hex"),
        experiment,
        name,
        status: "RUNNING",
        startTime,
        endTime: undefined,
        isDeleted: false,
        tags: new Map(),
        params: new Map(),
        metrics: new Map(),
      };
      runs.set(run.id, run);
      return run;
    },
    log(run, points) {
      for (const point of points) {
        const series = run.metrics.get(point.key) ?? createSeries();
        run.metrics.set(point.key, series);
        series.add(point);
      }
    },
    removeRun: (id) => void runs.delete(id),
    removeExperiment: (id) => void experiments.delete(id),
  };
}

/** The oldest ended run, else the oldest of all. */
function oldest(runs: ReadonlyMap<string, StoredRun>): string {
  const ended = runs.values().find(({ status }) => status !== "RUNNING" && status !== "SCHEDULED");
  return ended?.id ?? runs.keys().next().value ?? "";
}
