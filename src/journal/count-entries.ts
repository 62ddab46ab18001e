import { performance } from "node:perf_hooks";
import type { Entries } from "../model/entries.ts";
import { number, text } from "./columns.ts";
import type { Database } from "./database.ts";

/** A count that took a time is shown for a hundred times that, so that scrapes cost 1 % at most. */
const pauseFactor = 100;

/**
 * Opens the counts of what the journal holds beside samples: the state of each owner, dead letters, rows of the ledger.
 * Asked for at each scrape.
 */
export function openEntries({ db, run }: Database): () => readonly Entries[] {
  const states = db.prepare("SELECT owner, count(*) AS count FROM state GROUP BY owner");
  const letters = db.prepare("SELECT coalesce(sum(letters), 0) AS count FROM dead_totals");
  const ledger = db.prepare("SELECT count(*) AS count FROM ledger");
  let counted: readonly Entries[] = [];
  let due = 0;

  function count(): readonly Entries[] {
    const of = (name: string, row: ReturnType<typeof letters.get>) => ({
      part: "journal",
      of: name,
      count: number(row ?? {}, "count"),
    });
    return [
      ...states.all().map((row) => ({ part: text(row, "owner"), of: "state", count: number(row, "count") })),
      of("dead_letters", letters.get()),
      of("ledger_rows", ledger.get()),
    ];
  }

  return function entries() {
    const start = performance.now();
    if (start < due) return counted;
    counted = run(count);
    const end = performance.now();
    due = end + pauseFactor * (end - start);
    return counted;
  };
}
