import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { until } from "../beds/wait.ts";
import { makeBatch, makeSamples } from "./make.ts";

describe("the journal's entries", () => {
  it("count the state of each owner, dead letters and rows of the ledger", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    journal.state("source/a").set("one", "1");
    journal.state("source/a").set("two", "2");
    const letter = { sink: "s", time: 1, reason: "400", batch: makeBatch(makeSamples(1)) };
    const ledger = [{ scope: "source", id: "a", name: "read", reason: "", count: 1 }] as const;
    await journal.append({ batch: makeBatch(makeSamples(1)), owners: ["source/a"], ledger, deadLetters: [letter] });
    assert.deepEqual(journal.entries(), [
      { part: "source/a", of: "state", count: 2 },
      { part: "journal", of: "dead_letters", count: 1 },
      { part: "journal", of: "ledger_rows", count: 1 },
      { part: "journal", of: "cached_batches", count: 0, max: 8 },
    ]);
    journal.state("source/a").delete("one");
    await journal.append({ batch: makeBatch([]), owners: ["source/a"] });
    // A count is kept for a hundred times as long as it took.
    await until(() => journal.entries()[0]?.count === 1);
    await journal.close();
  });
});

describe("the ledger", () => {
  it("counts further reasons together once there are a hundred", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    const row = (reason: string) => ({ scope: "sink", id: "s", name: "refused", reason, count: 1 }) as const;
    const ledger = Array.from({ length: 150 }, (_, index) => row(`run ${index} is too long`));
    await journal.append({ batch: makeBatch([]), ledger });
    await journal.append({ batch: makeBatch([]), ledger });
    const rows = journal.ledger();
    assert.equal(rows.length, 101);
    assert.equal(rows.find(({ reason }) => reason === "other")?.count, 100);
    assert.equal(
      rows.reduce((sum, { count }) => sum + count, 0),
      300,
    );
    await journal.close();
  });
});
