import { randomBytes } from "node:crypto";

/** One logged point of the demo's MLflow. */
export interface StoredPoint {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/** One run of it. */
export interface StoredRun {
  readonly id: string;
  readonly experiment: string;
  name: string;
  status: string;
  readonly startTime: number;
  endTime: number | undefined;
  readonly tags: Map<string, string>;
  readonly params: Map<string, string>;
  /** Points by key, each list sorted as MLflow's SQL stores sort: time, step, value. */
  readonly metrics: Map<string, StoredPoint[]>;
}

/** What the demo's MLflow holds; in memory and bounded. */
export interface DemoStore {
  readonly experiments: ReadonlyMap<string, string>;
  readonly runs: ReadonlyMap<string, StoredRun>;
  /** Returns the id; the same for a name that exists. */
  createExperiment(name: string): string;
  createRun(experiment: string, name: string, startTime: number): StoredRun;
  log(run: StoredRun, points: readonly StoredPoint[]): void;
}

/** The oldest ended runs are dropped beyond this. */
const maxRuns = 200;

/** Makes an empty store. */
export function createDemoStore(): DemoStore {
  const experiments = new Map([["0", "Default"]]);
  const runs = new Map<string, StoredRun>();
  return {
    experiments,
    runs,
    createExperiment(name) {
      const known = [...experiments].find(([, other]) => other === name)?.[0];
      const id = known ?? String(experiments.size);
      experiments.set(id, name);
      return id;
    },
    createRun(experiment, name, startTime) {
      const run: StoredRun = {
        id: randomBytes(16).toString("hex"),
        experiment,
        name,
        status: "RUNNING",
        startTime,
        endTime: undefined,
        tags: new Map([["mlflow.runName", name]]),
        params: new Map(),
        metrics: new Map(),
      };
      runs.set(run.id, run);
      const ended = [...runs.values()].filter(({ status }) => status !== "RUNNING");
      for (const old of ended.slice(0, Math.max(0, runs.size - maxRuns))) runs.delete(old.id);
      return run;
    },
    log(run, points) {
      for (const point of points) {
        const list = run.metrics.get(point.key) ?? [];
        run.metrics.set(point.key, list);
        list.push(point);
        // Almost always in order already: only an earlier point costs a sort.
        const before = list.at(-2);
        if (before && byTime(before, point) > 0) list.sort(byTime);
      }
    },
  };
}

/** The latest point by MLflow's rule: greatest step, then time, then value. */
export function latestOf(points: readonly StoredPoint[]): StoredPoint | undefined {
  return points.reduce<StoredPoint | undefined>((best, point) => {
    if (!best) return point;
    const order = point.step - best.step || point.timestamp - best.timestamp || point.value - best.value;
    return order >= 0 ? point : best;
  }, undefined);
}

function byTime(a: StoredPoint, b: StoredPoint): number {
  return a.timestamp - b.timestamp || a.step - b.step || a.value - b.value;
}
