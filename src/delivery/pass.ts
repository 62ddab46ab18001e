import { setImmediate } from "node:timers/promises";
import type { Changes, DeadLetter, Journal, LedgerRow } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { ActiveSink } from "./active-sink.ts";
import { commitStep } from "./commit.ts";
import { deadRow } from "./dead.ts";
import { select, selectsAll } from "./select.ts";
import type { DeliveryWorld } from "./settle.ts";

/** What a sink of latest values passes on its way through the journal. */
export interface Passing {
  readonly sink: ActiveSink;
  readonly journal: Journal;
  readonly world: DeliveryWorld;
  /** The group of a sample, as `Groups.of` says. */
  groupOf(sample: DeadLetter["batch"]["samples"][number]): string;
  /** Why groups were refused since the last step, by name; emptied when the step is written. */
  readonly refused: Map<string, string>;
}

/** Counted as `superseded`, with this reason, is what left a full journal before the view could be delivered. */
const journalFull = "journal_full";

/**
 * Moves a sink of latest values to a position and counts what it has passed: left out by `match` or `refuse`, dead in
 * a refused group, and the rest as `name` says. Called after each delivered round, and to make room in a full journal.
 */
export async function passTo(position: number, name: "delivered" | "superseded", passing: Passing): Promise<void> {
  const { sink, journal, world, refused } = passing;
  const owner = sinkOwner(sink.id);
  // What was refused stays to be counted with the samples that are still to be passed.
  if (journal.position(owner) >= position) return;
  while (journal.position(owner) < position) {
    const { next, ledger, deadLetters } = await nextStep(position, passing);
    const counted = ledger.map((row): LedgerRow => {
      if (row.name !== "delivered" || name === "delivered") return row;
      return { ...row, name, reason: journalFull };
    });
    const changes = { ledger: counted.filter(({ count }) => count > 0), deadLetters };
    if (!(await commitStep(sink, journal, { position: next, changes }, world))) return;
    // A long way must leave the others their turn.
    await setImmediate();
  }
  refused.clear();
}

/** What is passed at once, of a backlog that may be a gigabyte. */
const lookLimit = { samples: 10_000, bytes: 8 * 1024 ** 2 };

interface Step extends Required<Pick<Changes, "ledger" | "deadLetters">> {
  /** Where it ends. */
  readonly next: number;
}

/** Looks at the samples themselves only where some may not have been delivered. */
async function nextStep(position: number, { sink, journal, world, groupOf, refused }: Passing): Promise<Step> {
  const from = journal.position(sinkOwner(sink.id));
  const row = { scope: "sink", id: sink.id, name: "delivered", reason: "" } as const;
  if (selectsAll(sink) && refused.size === 0) {
    const count = journal.waiting(from).samples - journal.waiting(position).samples;
    return { next: position, ledger: [{ ...row, count }], deadLetters: [] };
  }
  const { batches, next } = await journal.slice(from, { ...lookLimit, before: position });
  const ledger: LedgerRow[] = [];
  const deadLetters: DeadLetter[] = [];
  let delivered = 0;
  for (const each of batches) {
    const selected = select(sink, each);
    ledger.push(...selected.ledger);
    const { time, samples } = selected.batch;
    delivered += samples.length;
    for (const [group, own] of refused.size > 0 ? Map.groupBy(samples, groupOf) : []) {
      const reason = refused.get(group);
      if (reason === undefined) continue;
      delivered -= own.length;
      const batch = { time, samples: own, ended: [], group };
      deadLetters.push({ sink: sink.id, time: world.ctx.now(), reason, batch });
    }
  }
  return { next, ledger: [{ ...row, count: delivered }, ...ledger, ...deadLetters.map(deadRow)], deadLetters };
}
