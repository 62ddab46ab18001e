import type { Changes, DeadLetter, LedgerRow, Slice, SliceLimit } from "../../src/journal/journal.ts";
import type { Batch } from "../../src/model/batch.ts";
import type { StateValue } from "../../src/model/state.ts";

/** One position: a sample, or the end of its batch. */
interface Place {
  readonly batch: Batch;
  /** The index of the sample; that of the end is `batch.samples.length`. */
  readonly index: number;
}

/**
 * The journal as its contract says it, position by position and in memory. It does not model bytes, waiting for
 * changes, nor that only `trim` frees room.
 */
export class JournalModel {
  readonly places: Place[] = [];
  readonly consumers = new Map<string, number>();
  readonly ledger = new Map<string, LedgerRow>();
  readonly states = new Map<string, Map<string, StateValue>>();
  readonly pending = new Map<string, Map<string, StateValue | undefined>>();
  deadLetters: DeadLetter[] = [];
  start = 0;

  append(batch: Batch, changes: Changes): void {
    const { samples, ended, runs = [], restored = [], facts = [] } = batch;
    if (samples.length + ended.length + runs.length + restored.length + facts.length > 0) {
      for (let index = 0; index <= samples.length; index++) this.places.push({ batch, index });
    }
    this.change(changes);
  }

  commit(consumer: string, position: number, changes: Changes): void {
    this.consumers.set(consumer, position);
    this.change(changes);
  }

  change({ owners = [], ledger = [], deadLetters = [] }: Changes): void {
    for (const owner of owners) {
      this.states.set(owner, this.seen(owner));
      this.pending.delete(owner);
    }
    for (const row of ledger) {
      const key = JSON.stringify([row.scope, row.id, row.name, row.reason]);
      this.ledger.set(key, { ...row, count: row.count + (this.ledger.get(key)?.count ?? 0) });
    }
    this.deadLetters.push(...deadLetters);
  }

  set(owner: string, key: string, value: StateValue | undefined): void {
    const pending = this.pending.get(owner) ?? new Map<string, StateValue | undefined>();
    this.pending.set(owner, pending.set(key, value));
  }

  seen(owner: string): Map<string, StateValue> {
    const seen = new Map(this.states.get(owner));
    for (const [key, value] of this.pending.get(owner) ?? []) {
      if (value === undefined) seen.delete(key);
      else seen.set(key, value);
    }
    return seen;
  }

  crash(): void {
    this.pending.clear();
  }

  trim(): void {
    if (this.consumers.size === 0) return;
    const least = Math.min(...this.consumers.values());
    // Only whole batches go.
    for (let at = this.start; at < least; at++) {
      const place = this.places[at];
      if (place && place.index === place.batch.samples.length) this.start = at + 1;
    }
  }

  /** Only the limit of samples is modelled. */
  slice(from: number, limit: Pick<SliceLimit, "samples">): Slice {
    const batches: Batch[] = [];
    let next = Math.max(from, this.start);
    let samples = 0;
    while (next < this.places.length && !(batches.length > 0 && samples >= limit.samples)) {
      const { batch, index } = this.places[next] ?? { batch: undefined, index: 0 };
      if (!batch) break;
      const { ended, runs, restored, facts, ...rest } = batch;
      const part = batch.samples.slice(index, index + Math.max(limit.samples, 1) - samples);
      const whole = index + part.length === batch.samples.length;
      batches.push(whole ? { ...batch, samples: part } : { ...rest, samples: part, ended: [] });
      samples += part.length;
      next += part.length + (whole ? 1 : 0);
    }
    return { batches, samples, next };
  }

  waiting(from: number): { samples: number; oldest: number | undefined } {
    const left = this.places
      .slice(Math.max(from, this.start))
      .filter(({ batch, index }) => index < batch.samples.length);
    return { samples: left.length, oldest: left[0]?.batch.time };
  }
}
