import type { Run } from "./run.ts";

/** One measured value, as MLflow has it. */
export interface Sample {
  /** The metric key as it was logged: `"val/loss"`. */
  readonly name: string;
  /** May be NaN or ±Infinity. */
  readonly value: number;
  /** Unix ms at which it was logged, by the clock of the client. */
  readonly time: number;
  /** The training step; beyond ±2⁵³ the nearest number. */
  readonly step: number;
  /** Absent for server-wide facts such as counts. */
  readonly run?: Run;
  /** Labels beyond those of the run, added by transforms or facts. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The Prometheus identity, set by the host on every sample given to a sink that consumes `"latest"`. */
  readonly series?: Series;
}

/** The identity of a sample in Prometheus: unique among all live series. */
export interface Series {
  /** `mlflow_val_loss` */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Name and labels as they stand on a page: `mlflow_val_loss{run_id="4de1a2b3",…}`. */
  readonly id: string;
}
