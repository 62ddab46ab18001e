import type { Batch } from "../model/batch.ts";
import type { Entries } from "../model/entries.ts";
import type { WorkError } from "../model/errors.ts";
import type { State } from "../model/state.ts";
import type { DeadQueue } from "./dead-queue.ts";
import type { JournalSize } from "./journal-size.ts";

/**
 * The durable heart: batches in order, one position per consumer, the state of every part, the ledger, dead letters.
 * A position counts samples: a batch of n samples takes n + 1 positions, the last for what is not a sample (ended
 * runs, facts). Every method that writes is one transaction.
 */
export interface Journal {
  /** Appends one batch with all that belongs to it; a batch with nothing in it stores no row, only the rest. */
  append(entry: Append): Promise<void>;
  /** Returns what stands from `from` on, cut to the limits but never less than one sample; empty at the end. */
  slice(from: number, limit: SliceLimit): Promise<Slice>;
  /** The position after the newest batch. */
  end(): number;
  /** Samples ever appended. */
  stored(): number;
  /** The number of samples at or after a position, and the time their oldest batch was read (Unix ms). */
  waiting(from: number): { readonly samples: number; readonly oldest: number | undefined };
  /** The bytes of those samples as they are stored, an estimate where a batch is cut. */
  waitingBytes(from: number): number;
  /** The position of the first batch that was read at or after a time (Unix ms); `end()` when there is none. */
  positionAt(time: number): number;
  /** Where a consumer stands; the oldest kept position for one that was never seen. */
  position(consumer: string): number;
  /** The consumers that have a position. */
  consumers(): readonly string[];
  /** Moves a consumer, with all that belongs to that step. */
  commit(consumer: string, position: number, changes?: Changes): Promise<void>;
  /** Forgets a consumer, so that its backlog can be trimmed. */
  forget(consumer: string, changes?: Changes): Promise<void>;
  /** The memory of one owner; its changes are written by the `append` or `commit` that names the owner. */
  state(owner: string): State;
  /** Forgets what these owners have changed and no step has written: their batch was not taken. */
  discard(owners: readonly string[]): void;
  /** All counters. */
  ledger(): readonly LedgerRow[];
  readonly dead: DeadQueue;
  /** Deletes what every consumer has passed; called after commits, cheap when there is nothing to do. */
  trim(): Promise<void>;
  /** How full it is; looks at the disk at most once a second. */
  size(): JournalSize;
  /** How much it holds beside samples; called for each status. */
  entries(): readonly Entries[];
  /**
   * Resolves at the next `append` that stores a row, the next `commit` or `forget`, a `trim` that freed room, at
   * `close`, or when the signal fires.
   */
  changed(signal: AbortSignal): Promise<void>;
  /** Makes the error, with the file and the mend, for a state that cannot be what its owner has stored. */
  damaged(what: string, cause: unknown): WorkError;
  close(): Promise<void>;
}

/** A batch with all that is written in its transaction. */
export interface Append extends Changes {
  readonly batch: Batch;
}

/** What is written in the same transaction as a batch or a position. */
export interface Changes {
  /** Owners whose pending state changes are written. */
  readonly owners?: readonly string[];
  /** Added to the counters. */
  readonly ledger?: readonly LedgerRow[];
  readonly deadLetters?: readonly DeadLetter[];
  /** The ids of replayed letters that have been delivered or are dead letters again. */
  readonly replayed?: readonly number[];
  /** Whether it must outlive a power cut from now on, which may take back the last of other steps; false by default. */
  readonly durable?: boolean;
}

/** One counter of the ledger, for example `{ scope: "sink", id: "pramathus", name: "delivered", reason: "", count: 5 }`. */
export interface LedgerRow {
  readonly scope: "source" | "transform" | "sink";
  readonly id: string;
  readonly name:
    | "read"
    | "nonfinite"
    | "rounded"
    | "filtered"
    | "stored"
    | "unmatched"
    | "refused"
    | "superseded"
    | "skipped"
    | "reread"
    | "delivered"
    | "dead"
    | "replayed"
    | "evicted"
    | "dropped";
  /** Why, from a closed list per part; of what a transform has filtered the source; empty for `read` and `delivered`. */
  readonly reason: string;
  readonly count: number;
}

/** Samples a receiver has refused for good, with its words (shortened, secrets masked). */
export interface DeadLetter {
  readonly sink: string;
  /** Unix ms. */
  readonly time: number;
  readonly reason: string;
  readonly batch: Batch;
}

/** Where a slice ends: at whichever comes first. */
export interface SliceLimit {
  readonly samples: number;
  /** Estimated bytes: 100 a sample and its name and labels. */
  readonly bytes: number;
  /** No sample at or beyond this position; the journal's end by default. */
  readonly before?: number;
}

/** What stands in the journal from a position on. */
export interface Slice {
  /** The stored batches in order, the first and last cut to the slice; ended runs and facts come with a batch's end. */
  readonly batches: readonly Batch[];
  /** Samples in all batches. */
  readonly samples: number;
  /** Where the next slice starts; equal to `from` at the end of the journal. */
  readonly next: number;
}
