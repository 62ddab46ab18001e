import type { SQLOutputValue } from "node:sqlite";
import { number, text } from "./columns.ts";
import type { Database } from "./database.ts";
import type { LedgerRow } from "./journal.ts";

/** The counters of the journal. */
export interface Ledger {
  /** Adds to the counters; called inside a transaction. */
  add(rows: readonly LedgerRow[]): void;
  read(): readonly LedgerRow[];
}

/** Reasons of one counter of one part: a plugin may make them up, and metrics carry each as a label. */
const maxReasons = 100;
const otherReasons = "other";

/** Opens the counters; of a counter with too many reasons further ones are counted together, as `"other"`. */
export function openLedger({ db, run }: Database): Ledger {
  const add = db.prepare(`
    INSERT INTO ledger (scope, id, name, reason, count) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count`);
  const all = db.prepare("SELECT scope, id, name, reason, count FROM ledger ORDER BY scope, id, name, reason");
  const reasons = new Map<string, Set<string>>();
  for (const row of read()) bounded(row);
  return {
    add(rows) {
      for (const row of rows) add.run(row.scope, row.id, row.name, bounded(row), row.count);
    },
    read,
  };

  function read(): readonly LedgerRow[] {
    return run(() =>
      all.all().map((row) => ({
        scope: oneOf(scopes, row.scope),
        id: text(row, "id"),
        name: oneOf(names, row.name),
        reason: text(row, "reason"),
        count: number(row, "count"),
      })),
    );
  }

  function bounded({ scope, id, name, reason }: LedgerRow): string {
    const counter = JSON.stringify([scope, id, name]);
    const known = reasons.get(counter) ?? new Set();
    reasons.set(counter, known);
    if (!known.has(reason) && known.size >= maxReasons) return otherReasons;
    known.add(reason);
    return reason;
  }
}

const scopes: Words<LedgerRow["scope"]> = { source: true, transform: true, sink: true };
const names: Words<LedgerRow["name"]> = {
  read: true,
  nonfinite: true,
  rounded: true,
  filtered: true,
  stored: true,
  unmatched: true,
  refused: true,
  superseded: true,
  skipped: true,
  reread: true,
  delivered: true,
  dead: true,
  replayed: true,
  evicted: true,
  dropped: true,
};

/** A record and not a list, so that the compiler asks for every word of the contract. */
type Words<Word extends string> = Readonly<Record<Word, true>>;

function oneOf<Word extends string>(words: Words<Word>, value: SQLOutputValue | undefined): Word {
  for (const word in words) if (word === value) return word;
  throw new Error(`the ledger holds an unknown word: ${value}`);
}
