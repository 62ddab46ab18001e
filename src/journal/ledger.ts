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

/** Opens the counters. */
export function openLedger({ db, run }: Database): Ledger {
  const add = db.prepare(`
    INSERT INTO ledger (scope, id, name, reason, count) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count`);
  const all = db.prepare("SELECT scope, id, name, reason, count FROM ledger ORDER BY scope, id, name, reason");
  return {
    add(rows) {
      for (const { scope, id, name, reason, count } of rows) add.run(scope, id, name, reason, count);
    },
    read() {
      return run(() =>
        all.all().map((row) => ({
          scope: oneOf(scopes, row.scope),
          id: text(row, "id"),
          name: oneOf(names, row.name),
          reason: text(row, "reason"),
          count: number(row, "count"),
        })),
      );
    },
  };
}

const scopes: Words<LedgerRow["scope"]> = { source: true, transform: true, sink: true, view: true };
const names: Words<LedgerRow["name"]> = {
  read: true,
  nonfinite: true,
  filtered: true,
  unmatched: true,
  refused: true,
  superseded: true,
  skipped: true,
  delivered: true,
  dead: true,
  replayed: true,
  dropped: true,
};

/** A record and not a list, so that the compiler asks for every word of the contract. */
type Words<Word extends string> = Readonly<Record<Word, true>>;

function oneOf<Word extends string>(words: Words<Word>, value: SQLOutputValue | undefined): Word {
  for (const word in words) if (word === value) return word;
  throw new Error(`the ledger holds an unknown word: ${value}`);
}
