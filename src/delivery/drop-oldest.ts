import type { Journal, LedgerRow } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Sample } from "../model/sample.ts";
import type { ActiveSink } from "./active-sink.ts";
import { commitStep } from "./commit.ts";
import { isUnexplained } from "./explain-once.ts";
import { mergeSlice, select } from "./select.ts";
import type { DeliveryWorld } from "./settle.ts";

/** A sink that gives way when the journal is full on its account. */
export interface Dropping {
  readonly sink: ActiveSink;
  readonly journal: Journal;
  readonly world: DeliveryWorld;
  /** Whether another consumer makes room by itself, too. */
  readonly yields: (consumer: string) => boolean;
}

/** Samples dropped in one step at most; the journal is looked at again after each. */
const stepSamples = 10_000;

/**
 * Drops the oldest samples that wait for the sink, step by step, until the journal has room or another consumer is
 * behind it; counts them and says so once a reason. Returns false when nothing was dropped.
 */
export async function dropOldest(dropping: Dropping): Promise<boolean> {
  let isDropped = false;
  while (!dropping.world.ctx.signal.aborted && holdsUp(dropping)) {
    if (!(await dropStep(dropping, reasons[dropping.journal.size().bound]))) break;
    isDropped = true;
  }
  return isDropped;
}

/** The closed list of the ledger, by the bound that was met. */
const reasons = { bytes: "journal_full", age: "journal_old", disk: "disk_full" } as const;

/** Returns false when nothing was dropped. */
async function dropStep({ sink, journal, world }: Dropping, reason: string): Promise<boolean> {
  const own = sinkOwner(sink.id);
  const position = journal.position(own);
  const next = Math.min(...journal.consumers().flatMap((other) => (other === own ? [] : [journal.position(other)])));
  // Beyond the next consumer nothing is freed.
  const between = journal.waiting(position).samples - (next > position ? journal.waiting(next).samples : 0);
  const slice = await journal.slice(position, { samples: Math.min(between, stepSamples), bytes: 8 * 1024 ** 2 });
  if (slice.next === position) return false;
  const merged = mergeSlice(slice) ?? { time: 0, samples: [], ended: [] };
  const selection = select(sink, merged);
  const dropped = selection.batch.samples;
  const row: LedgerRow = { scope: "sink", id: sink.id, name: "dropped", reason, count: dropped.length };
  const ledger = dropped.length > 0 ? [...selection.ledger, row] : selection.ledger;
  if (!(await commitStep(sink, journal, { position: slice.next, changes: { ledger } }, world))) return false;
  if (dropped[0]) logDropped(sink, reason, dropped[0], world);
  return true;
}

function logDropped(sink: ActiveSink, reason: string, { name, run }: Sample, { log }: DeliveryWorld): void {
  if (!isUnexplained(sink, `dropped ${reason}`)) return;
  const example = run ? `${name} of run ${run.id}` : name;
  log.error("The oldest samples are dropped for this sink, which are counted from here on", {
    sink: sink.id,
    reason,
    example,
  });
}

/**
 * Says whether the journal is full on the account of this sink alone: room comes only when it moves on. Where another
 * sink waits for the same samples, and pauses, dropping them here would free nothing. Asked by the worker at each change
 * of the journal while a slice is under way.
 */
export function holdsUp({ sink, journal, yields }: Omit<Dropping, "world">): boolean {
  if (sink.whenFull !== "drop-oldest") return false;
  const { full, bound, freeBytes, reserveBytes } = journal.size();
  // A disk that others have filled gets no room by this.
  if (!full || (bound === "disk" && freeBytes < reserveBytes / 4)) return false;
  const own = sinkOwner(sink.id);
  const position = journal.position(own);
  if (position >= journal.end()) return false;
  const others = journal.consumers().filter((consumer) => consumer !== own);
  return others.every((other) => {
    const stands = journal.position(other);
    return stands > position || (stands === position && yields(other));
  });
}
