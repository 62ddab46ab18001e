import type { Batch } from "../model/batch.ts";
import type { Entries } from "../model/entries.ts";
import type { Run } from "../model/run.ts";
import type { Facts } from "./facts.ts";
import type { LiveRun } from "./live-run.ts";

/** The latest value of every live series; a consumer of the journal, kept across restarts by its snapshot. */
export interface View {
  /** Takes one stored batch: samples, facts, new and changed runs, ended and deleted ones. */
  apply(batch: Batch): void;
  /** Removes what other sources than these have left. Called after a reload that has removed one. */
  keepSources(sources: readonly string[]): void;
  /**
   * Takes all series that these sources have in a view that was built anew, in the place of those they have here; what
   * is known of runs and what was told as facts stays. Returns how many series have changed. Called when other transforms
   * are at work.
   */
  adopt(rebuilt: View, sources: readonly string[], now: number): number;
  /** What `adopt` takes. */
  readonly parts: { readonly runs: ReadonlyMap<string, LiveRun>; readonly facts: Facts };
  /** Removes what has outlived `series.retention`. Called once a minute. */
  expire(now: number): void;
  /**
   * Every group that holds series, with a number that grows at each change of the group, also when it comes back after
   * it was empty. Without `groupBy` there is one group, `""`. Called by a worker before each push.
   */
  versions(groupBy?: (run: Run) => string): ReadonlyMap<string, number>;
  /**
   * The latest sample of every live series, each with its `series`, families together and in a fixed order.
   * `group` narrows it to one group of `groupBy`.
   */
  latest(time: number, group?: { readonly name: string; readonly groupBy: (run: Run) => string }): Batch;
  /** Grows at every change of any series. */
  readonly version: number;
  counts(): ViewCounts;
  /** A fact of a source, added up over its labels; nothing where the source tells none. Called for each status. */
  fact(source: string, name: string): number | undefined;
  /** How full it is; called for each status. */
  entries(): readonly Entries[];
  /** All that `restoreView` needs. */
  snapshot(): Uint8Array;
}

/** How full a view is. */
export interface ViewCounts {
  readonly series: number;
  readonly max: number;
  readonly runs: number;
  /** Samples of series that the cap has refused, by the key of the metric; at most 100 keys, the rest under `"other"`. */
  readonly refused: ReadonlyMap<string, number>;
}
