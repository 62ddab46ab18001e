import type { Journal, LedgerRow } from "./journal.ts";
import { sinkOf } from "./sink-owner.ts";

/**
 * Says where the ledger does not add up; empty when it does. Every sample that a source has read was filtered or stored,
 * what is stored of all sources is what the journal holds, and each sink has passed every stored one (delivered, unmatched, refused, superseded, dropped, dead, or skipped as older
 * than the sink) or has it waiting. Called once a minute, at the end, and for each status.
 */
export function auditLedger(journal: Journal): readonly string[] {
  const ledger = journal.ledger();
  const stored = journal.stored();
  const mismatches: string[] = [];
  for (const source of new Set(ledger.filter(({ scope }) => scope === "source").map(({ id }) => id))) {
    const read = sum(ledger, ({ id, name }) => id === source && name === "read");
    const filtered = sum(ledger, ({ name, reason }) => name === "filtered" && reason === source);
    const kept = sum(ledger, ({ id, name }) => id === source && name === "stored");
    if (read !== filtered + kept) {
      mismatches.push(`source "${source}": read ${read} is not filtered ${filtered} + stored ${kept}`);
    }
  }
  const kept = sum(ledger, ({ name }) => name === "stored");
  if (kept !== stored) mismatches.push(`stored ${kept} of all sources is not what the journal was given, ${stored}`);
  for (const consumer of journal.consumers()) {
    const id = sinkOf(consumer);
    if (id === undefined) continue;
    const passed = passedBy(id, ledger);
    const waiting = journal.waiting(journal.position(consumer)).samples + journal.dead.replaying(id).samples;
    if (passed + waiting === stored) continue;
    mismatches.push(`sink "${id}": passed ${passed} + waiting ${waiting} is not stored ${stored}`);
  }
  return mismatches;
}

/**
 * What a sink that is new to the journal will never get of it, as a counter to be written with its first position: what
 * was trimmed before it came. A sink of the same name that was forgotten has counted some of it already; what it gets
 * of that once more is counted as reread.
 */
export function placedRow(journal: Journal, id: string, position: number): LedgerRow {
  const waiting = journal.waiting(position).samples + journal.dead.replaying(id).samples;
  const count = journal.stored() - waiting - passedBy(id, journal.ledger());
  const row = { scope: "sink", id } as const;
  if (count < 0) return { ...row, name: "reread", reason: "", count: -count };
  return { ...row, name: "skipped", reason: "before_start", count };
}

/**
 * What a sink does not have to deliver any more; a dead letter that is replayed waits again, and what a new sink gets
 * from MLflow, or once more, was counted before.
 */
function passedBy(id: string, ledger: readonly LedgerRow[]): number {
  // What was let go of dead letters was counted when it died.
  const own = ledger.filter((row) => row.scope === "sink" && row.id === id && row.name !== "evicted");
  const isAgain = ({ name }: LedgerRow) => name === "replayed" || name === "reread";
  return sum(own, (row) => !isAgain(row)) - sum(own, isAgain);
}

function sum(ledger: readonly LedgerRow[], wanted: (row: LedgerRow) => boolean): number {
  return ledger.reduce((total, row) => total + (wanted(row) ? row.count : 0), 0);
}
