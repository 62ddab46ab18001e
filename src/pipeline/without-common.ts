import type { Journal } from "../journal/journal.ts";
import { type Common, sampleKey } from "./sample-keys.ts";

/**
 * The journal as one sink is to see it that has had some of it already: up to a position, and without what is common.
 * What is left out counts as skipped once the sink has passed it.
 */
export function withoutCommon(journal: Journal, sink: string, { keys, to }: Common): Journal {
  return {
    ...journal,
    end: () => to,

    async slice(from, limit) {
      const slice = await journal.slice(from, { ...limit, before: to });
      const batches = slice.batches.map((batch) => ({
        ...batch,
        samples: batch.samples.filter((sample) => !keys.has(sampleKey(sample))),
      }));
      const samples = batches.reduce((sum, batch) => sum + batch.samples.length, 0);
      return { batches, samples, next: slice.next };
    },

    async commit(consumer, position, changes = {}) {
      const before = journal.position(consumer);
      // A dead letter that is delivered again moves no position.
      if (position === before) return journal.commit(consumer, position, changes);
      const { ledger = [] } = changes;
      const passed = journal.waiting(before).samples - journal.waiting(position).samples;
      const count = passed - ledger.reduce((sum, row) => sum + row.count, 0);
      const skipped = { scope: "sink", id: sink, name: "skipped", reason: "before_start", count } as const;
      return journal.commit(consumer, position, { ...changes, ledger: count === 0 ? ledger : [...ledger, skipped] });
    },
  };
}
