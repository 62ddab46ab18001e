import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { auditLedger, placedRow } from "../../src/journal/audit.ts";
import type { LedgerRow } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function open() {
  const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
  opened.push(journal.close);
  /** Reads ten samples, of which a transform drops three. */
  const append = () =>
    journal.append({
      batch: makeBatch(makeSamples(7)),
      ledger: [
        row("source", "read", 10),
        { ...row("transform", "filtered", 3), reason: "x" },
        row("source", "stored", 7),
      ],
    });
  return { journal, append };
}

function row(scope: LedgerRow["scope"], name: LedgerRow["name"], count: number): LedgerRow {
  return { scope, id: "x", name, reason: "", count };
}

describe("auditLedger()", () => {
  it("is silent while every sample is filtered, passed or waiting", async () => {
    const { journal, append } = await open();
    await append();
    await journal.commit("sink/x", 0);
    assert.deepEqual(auditLedger(journal), []);
    const ledger = [row("sink", "delivered", 2), row("sink", "dead", 1), row("sink", "refused", 1)];
    await journal.commit("sink/x", 4, { ledger });
    assert.deepEqual(auditLedger(journal), []);
  });

  it("names the sink that has passed a sample without counting it", async () => {
    const { journal, append } = await open();
    await append();
    await journal.commit("sink/x", 4, { ledger: [row("sink", "delivered", 3)] });
    assert.deepEqual(auditLedger(journal), ['sink "x": passed 3 + waiting 3 is not stored 7']);
  });

  it("names the source of samples that were read and are neither filtered nor stored", async () => {
    const { journal, append } = await open();
    await append();
    const other = { ...row("source", "read", 2), id: "y" };
    await journal.append({ batch: makeBatch([]), ledger: [other] });
    assert.deepEqual(auditLedger(journal), ['source "y": read 2 is not filtered 0 + stored 0']);
  });

  it("names samples that are in the journal and of no source", async () => {
    const { journal } = await open();
    await journal.append({ batch: makeBatch(makeSamples(2)) });
    assert.deepEqual(auditLedger(journal), ["stored 0 of all sources is not what the journal was given, 2"]);
  });

  it("counts as skipped what was trimmed before a sink came", async () => {
    const { journal, append } = await open();
    await append();
    await journal.commit("sink/x", journal.end(), { ledger: [row("sink", "delivered", 7)] });
    await journal.trim();
    await append();
    const position = journal.position("sink/new");
    const skipped = placedRow(journal, "new", position);
    assert.equal(skipped.count, 7);
    await journal.commit("sink/new", position, { ledger: [skipped] });
    assert.deepEqual(auditLedger(journal), []);
  });
});
