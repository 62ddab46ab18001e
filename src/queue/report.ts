import type { SinkStatus } from "../delivery/active-sink.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import { placedSinks, queueSinks } from "./sinks.ts";

/** What waits for every sink and what is dead: the shape of `mlmon queue --json` and of `/api/v1/queue`. */
export interface QueueReport {
  /** Unix ms at which the mlmon that answers was started; null when none runs. */
  readonly startedAt: number | null;
  /** Stored batches, in bytes. */
  readonly journalBytes: number;
  readonly sinks: readonly SinkQueue[];
}

/** What waits for one sink, and its dead letters. */
export interface SinkQueue {
  readonly id: string;
  readonly state: SinkStatus["state"];
  /** Why the last request failed, where something waits. */
  readonly lastError: string | null;
  /** Samples that are not delivered yet, replayed dead letters among them. */
  readonly waiting: number;
  /** Of these, as they are stored; an estimate, as other sinks wait for the same. */
  readonly bytes: number;
  /** Since the oldest of them was read or replayed. */
  readonly oldestSeconds: number | null;
  /** Dead letters that are to be delivered again, in samples. */
  readonly replaying: number;
  /** Dead letters that are kept, in samples, by reason. */
  readonly deadLetters: Readonly<Record<string, number>>;
}

/** How the sinks of a running mlmon are doing, by id. */
export type SinkStates = ReadonlyMap<string, Pick<SinkStatus, "state" | "lastError">>;

/** What only a running mlmon knows of its sinks. */
export interface ReportOptions {
  /** Unix ms. */
  readonly now: number;
  readonly startedAt: number | null;
  readonly states: SinkStates;
}

/** Gathers the queue of each sink that the journal knows, on a running and on a stopped mlmon. */
export function reportQueue(journal: Journal, { now, startedAt, states }: ReportOptions): QueueReport {
  const dead = journal.dead.counts({});
  const placed = placedSinks(journal);
  const sinks = queueSinks(journal).map((id): SinkQueue => {
    // One that is gone has left nothing but dead letters.
    const position = placed.includes(id) ? journal.position(sinkOwner(id)) : journal.end();
    const stored = journal.waiting(position);
    const replayed = journal.dead.replaying(id);
    const waiting = stored.samples + replayed.samples;
    const oldest = Math.min(stored.oldest ?? now, replayed.oldest ?? now);
    const { state = "stopped", lastError } = states.get(id) ?? {};
    const own = dead.filter(({ sink }) => sink === id);
    return {
      id,
      state,
      lastError: (waiting > 0 && lastError?.reason) || null,
      waiting,
      bytes: journal.waitingBytes(position) + replayed.bytes,
      oldestSeconds: waiting > 0 ? Math.max(0, now - oldest) / 1000 : null,
      replaying: replayed.samples,
      deadLetters: Object.fromEntries(own.map(({ reason, samples }) => [reason, samples])),
    };
  });
  return { startedAt, journalBytes: journal.size().bytes, sinks };
}
