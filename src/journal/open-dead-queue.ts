import type { Bell } from "./bell.ts";
import type { Database } from "./database.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { DeadCount, DeadQueue } from "./dead-queue.ts";
import type { LedgerRow } from "./journal.ts";
import type { Ledger } from "./ledger.ts";

/** Opens what people do with the dead letters of a journal. */
export function openDeadQueue({
  letters,
  ledger,
  transaction,
  bell,
  now,
}: {
  readonly letters: DeadLetters;
  readonly ledger: Ledger;
  readonly transaction: Database["transaction"];
  readonly bell: Bell;
  readonly now: () => number;
}): DeadQueue {
  return {
    counts: letters.counts,
    page: letters.page,
    replaying: letters.replaying,
    replays: letters.replays,

    async replay(filter) {
      const counts = transaction(() => {
        const found = letters.counts(filter);
        letters.mark(filter, now());
        ledger.add(found.map(replayedRow));
        return found;
      });
      // The sinks hear of it.
      bell.ring();
      return counts;
    },

    async drop(filter) {
      return transaction(() => {
        const counts = letters.counts(filter);
        letters.drop(filter);
        return counts;
      });
    },
  };
}

/** Dead letters are counted for ever: what is waiting again is taken off by a counter of its own. */
function replayedRow({ sink, reason, samples }: DeadCount): LedgerRow {
  return { scope: "sink", id: sink, name: "replayed", reason, count: samples };
}
