/** How many entries a source or sink holds in memory, by what they are: `{ recent_runs: 12, readers: { count: 1, max: 16 } }`. */
export type Held = Readonly<Record<string, number | { readonly count: number; readonly max: number }>>;

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
