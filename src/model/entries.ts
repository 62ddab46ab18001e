/** How full something is that lives as long as mlmon or its journal. */
export interface Entries {
  /** Whose it is: `"view"`, `"journal"`, `"source/mlflow"`. */
  readonly part: string;
  /** What it holds: `"runs"`, `"state"`. */
  readonly of: string;
  readonly count: number;
  /** The most it may hold; absent where what MLflow holds or the configuration is the bound. */
  readonly max?: number;
}
