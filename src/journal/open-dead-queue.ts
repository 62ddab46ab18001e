import { setImmediate } from "node:timers/promises";
import type { Bell } from "./bell.ts";
import type { Database } from "./database.ts";
import type { DeadLetters, Span } from "./dead-letters.ts";
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

    replay(filter) {
      return inSteps((span) => {
        const counts = letters.mark(filter, span, now());
        ledger.add(counts.map(replayedRow));
        return counts;
      });
    },

    drop: (filter) => inSteps((span) => letters.drop(filter, span)),
  };

  async function inSteps(step: (span: Span) => readonly DeadCount[]): Promise<readonly DeadCount[]> {
    const last = letters.last();
    let counts: readonly DeadCount[] = [];
    for (let span = letters.next(0, last); span; span = letters.next(span.to, last)) {
      const here = span;
      const found = transaction(() => step(here));
      // The sinks hear of what is replayed.
      if (found.length > 0) bell.ring();
      counts = added(counts, found);
      await setImmediate();
    }
    return counts;
  }
}

/** Adds up counts, in order of sink and reason. */
function added(one: readonly DeadCount[], other: readonly DeadCount[]): readonly DeadCount[] {
  const sums = new Map<string, DeadCount>();
  for (const count of [...one, ...other]) {
    const key = JSON.stringify([count.sink, count.reason]);
    const sum = sums.get(key);
    sums.set(key, sum ? plus(sum, count) : count);
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
}

function plus(one: DeadCount, other: DeadCount): DeadCount {
  return {
    ...one,
    letters: one.letters + other.letters,
    samples: one.samples + other.samples,
    bytes: one.bytes + other.bytes,
  };
}

/** Dead letters are counted for ever: what is waiting again is taken off by a counter of its own. */
function replayedRow({ sink, reason, samples }: DeadCount): LedgerRow {
  return { scope: "sink", id: sink, name: "replayed", reason, count: samples };
}
