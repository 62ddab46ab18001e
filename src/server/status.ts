import type { SinkStatus } from "../delivery/active-sink.ts";
import type { LedgerRow } from "../journal/journal.ts";
import type { JournalSize } from "../journal/journal-size.ts";
import type { Progress } from "../model/context.ts";
import type { Entries } from "../model/entries.ts";
import type { ViewCounts } from "../view/view.ts";

/** How everything is doing right now: what `/api/v1/status`, the page, readiness and mlmon's own series show. */
export interface Status {
  readonly version: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly now: number;
  /** The configuration's file, or `"environment"`. */
  readonly config: string;
  /** How the last reload of the configuration has ended; successful since the start when there was none. */
  readonly reload: ReloadReport;
  /** Empty when ready, else one sentence for each source or sink that has had no success for too long. */
  readonly notReady: readonly string[];
  /** What will stop reading or cost samples unless someone acts, one sentence each. */
  readonly warnings: readonly string[];
  /** The same for those without the token: no words of a receiver or of MLflow, no paths. */
  readonly brief: Pick<Status, "notReady" | "warnings">;
  readonly sources: readonly SourceReport[];
  readonly sinks: readonly SinkReport[];
  readonly journal: JournalSize;
  readonly view: ViewCounts;
  /** How full everything is that lives as long as mlmon or its journal. */
  readonly entries: readonly Entries[];
  readonly ledger: readonly LedgerRow[];
  /** Where the ledger does not add up; empty unless mlmon has a bug. */
  readonly ledgerMismatches: readonly string[];
}

/** How the last reload went. */
export interface ReloadReport {
  readonly successful: boolean;
  /** Unix ms at which the configuration at work was taken. */
  readonly lastSuccess: number;
  /** Why the last reload has changed nothing; absent when it was successful. */
  readonly lastError: { readonly time: number; readonly reason: string } | undefined;
}

/** How one source is doing. */
export interface SourceReport {
  readonly id: string;
  readonly type: string;
  /** Where it reads from, such as `http://localhost:5000`, when it says so. */
  readonly place: string | undefined;
  /** How many it reads, ended runs too, as of the last good poll; absent before it, and where the source does not say. */
  readonly experiments: number | undefined;
  readonly runs: number | undefined;
  readonly state: "starting" | "ok" | "failing" | "full" | "ended";
  /** Unix ms of the last good poll. */
  readonly lastSuccess: number | undefined;
  readonly lastError: { readonly time: number; readonly reason: string } | undefined;
  /** Time between two polls. */
  readonly intervalMs: number;
  readonly progress: Progress | undefined;
}

/** How one sink is doing. */
export interface SinkReport extends SinkStatus {
  readonly id: string;
  readonly type: string;
  readonly consumes: "points" | "latest";
  /** Shown to whoever asks, as on the page for Prometheus: delivered says that it is there, not that anyone has come. */
  readonly pulled: boolean;
  /** Samples read and not yet delivered, and how old the oldest of them is. */
  readonly waiting: number;
  readonly lagSeconds: number;
  readonly delivered: number;
  /** Samples that have left a full journal before they were delivered, as `whenFull` has it. */
  readonly dropped: number;
  /** Samples by reason, without those that are delivered again. */
  readonly deadLetters: Readonly<Record<string, number>>;
}
