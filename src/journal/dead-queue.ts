import type { Replaying } from "./dead-totals.ts";
import type { DeadLetter } from "./journal.ts";

/**
 * The dead letters of a journal, as people handle them. One that is replayed is not dead any more: it waits, and its
 * sink delivers it before its next slice or makes it a dead letter again. A change of many is made in steps, each a
 * transaction, of what is dead when it begins.
 */
export interface DeadQueue {
  /** What is kept, by sink and reason; without those that are replayed. */
  counts(filter: DeadFilter): readonly DeadCount[];
  /** Dead letters in the order in which they died, from after an id on; 0 is before the first. */
  page(filter: DeadFilter, after: number, limit: number): readonly KeptLetter[];
  /** Sends dead letters back to delivery, counts them as `replayed`, and returns what they were. */
  replay(filter: DeadFilter): Promise<readonly DeadCount[]>;
  /** Deletes dead letters for good and returns what they were; the ledger has counted them. */
  drop(filter: DeadFilter): Promise<readonly DeadCount[]>;
  /** What waits to be delivered again to a sink. */
  replaying(sink: string): Replaying;
  /**
   * That, in the order in which they died, from after an id on, each read when it is asked for; gone once a commit names
   * it as `replayed`.
   */
  replays(sink: string, after?: number): Iterable<KeptLetter>;
}

/** Which dead letters are meant; all when it is empty. */
export interface DeadFilter {
  readonly sink?: string | undefined;
  /** A reason of the ledger such as `http_400`, or a part of the receiver's words. */
  readonly reason?: string | undefined;
  /** Unix ms at which they died: at or after, before. */
  readonly since?: number | undefined;
  readonly before?: number | undefined;
}

/** Dead letters of one sink and reason. */
export interface DeadCount {
  readonly sink: string;
  /** From the closed list of the ledger. */
  readonly reason: string;
  /** How many letters, and how many samples they hold. */
  readonly letters: number;
  readonly samples: number;
  /** In the journal. */
  readonly bytes: number;
}

/** A dead letter with its number in the journal, which grows with each. */
export interface KeptLetter extends DeadLetter {
  readonly id: number;
}
