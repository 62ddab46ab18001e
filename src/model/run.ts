/** An MLflow experiment: `id` as MLflow gives it (a string, up to 18 digits), `name` unique in its workspace. */
export interface Experiment {
  readonly id: string;
  readonly name: string;
}

/** The life cycle of a run in MLflow's words, lower case. */
export type RunStatus = "running" | "scheduled" | "finished" | "failed" | "killed";

/** A run as MLflow knows it; all samples of one run in one batch share one object. */
export interface Run {
  /** The full id, 32 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly experiment: Experiment;
  readonly status: RunStatus;
  /** Unix ms, set by MLflow's clients: may be wrong, 0 or far away. */
  readonly startTime: number;
  /** Unix ms; absent while running, and for runs ended through the API without one. */
  readonly endTime?: number;
  readonly user: string;
  /** The tag `mlflow.model.stage`, `"None"` when absent. */
  readonly stage: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}
