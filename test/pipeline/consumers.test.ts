import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { silentLog } from "../../src/model/log.ts";
import { dropGone, firstSeen, placeNew, releaseUnserved } from "../../src/pipeline/consumers.ts";
import { historyFile } from "../../src/pipeline/history-files.ts";
import { makeBatch, makeSamples, takenRows } from "../fixtures/samples.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** A journal of ten samples that `old` has not got. */
async function open() {
  const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
  opened.push(journal.close);
  await placeNew(journal, [{ id: "old", catchesUp: false }]);
  const batch = makeBatch(makeSamples(10));
  await journal.append({ batch, ledger: takenRows("s", 10) });
  const lines: string[] = [];
  const log = { ...silentLog, warn: (_: string, fields = {}) => void lines.push(JSON.stringify(fields)) };
  return { journal, lines, log };
}

describe("placeNew()", () => {
  it("begins with what the journal holds, or with what comes from now on", async () => {
    const { journal } = await open();
    await placeNew(journal, [
      { id: "all", catchesUp: false },
      { id: "first", startFrom: "beginning", catchesUp: false },
      { id: "new", startFrom: "now", catchesUp: false },
    ]);
    const waiting = ["all", "first", "new"].map((id) => journal.waiting(journal.position(`sink/${id}`)).samples);
    assert.deepEqual(waiting, [10, 10, 0]);
    assert.deepEqual(auditLedger(journal), []);
  });

  it("leaves a sink at its place that is known, whatever it says", async () => {
    const { journal } = await open();
    await placeNew(journal, [{ id: "old", startFrom: "now", catchesUp: false }]);
    assert.equal(journal.waiting(journal.position("sink/old")).samples, 10);
  });

  it("gives up the history of a sink that is to start from now in the end", async () => {
    const { journal } = await open();
    await journal.commit("sink/old", journal.end());
    await journal.trim();
    const place = (startFrom: "beginning" | "now") =>
      placeNew(journal, [{ id: "new", startFrom, catchesUp: true }], () => 5);
    await place("beginning");
    assert.match(historyFile(journal, "new") ?? "", /^catch-up-new-/);
    await place("now");
    assert.equal(historyFile(journal, "new"), undefined);
    assert.equal(firstSeen(journal, "new"), 5);
    assert.deepEqual(
      auditLedger(journal).filter((line) => line.startsWith('sink "new"')),
      [],
    );
  });
});

describe("firstSeen()", () => {
  it("is when a sink that starts from now got its place, and is forgotten with the sink", async () => {
    const { journal, log } = await open();
    const place = (time: number) => placeNew(journal, [{ id: "new", startFrom: "now", catchesUp: true }], () => time);
    await place(5);
    await place(6);
    assert.deepEqual([firstSeen(journal, "new"), firstSeen(journal, "old")], [5, Number.NEGATIVE_INFINITY]);
    await dropGone(journal, [{ id: "old" }], log);
    await place(7);
    assert.equal(firstSeen(journal, "new"), 7);
  });

  it("stays through an export that leaves the sink out", async () => {
    const { journal } = await open();
    const place = (time: number) => placeNew(journal, [{ id: "page", startFrom: "now", catchesUp: false }], () => time);
    await place(5);
    await releaseUnserved(journal, [{ id: "page" }]);
    await place(6);
    assert.equal(firstSeen(journal, "page"), 5);
  });
});

describe("dropGone()", () => {
  it("frees the backlog of a removed sink, counts it, and says so", async () => {
    const { journal, lines, log } = await open();
    await dropGone(journal, [], log);
    assert.deepEqual(journal.consumers(), []);
    assert.deepEqual(lines, ['{"sink":"old","samples":10}']);
    const dropped = journal.ledger().find(({ name }) => name === "dropped");
    assert.deepEqual(dropped && [dropped.id, dropped.reason, dropped.count], ["old", "sink_removed", 10]);
  });

  it("asks whether the one sink that comes is the one that goes", async () => {
    const { journal, lines, log } = await open();
    await dropGone(journal, [{ id: "new" }], log);
    assert.match(lines[0] ?? "", /if it is \\"new\\" now, the id \\"old\\" would have kept its place/);
  });

  it("counts anew for a removed sink that comes back", async () => {
    const { journal, log } = await open();
    await dropGone(journal, [], log);
    await placeNew(journal, [{ id: "old", catchesUp: false }]);
    assert.deepEqual(auditLedger(journal), []);
    const counts = journal.ledger().filter(({ id }) => id === "old");
    const shown = counts.map(({ name, count }) => [name, count]);
    assert.deepEqual(shown, [
      ["dropped", 10],
      ["reread", 10],
    ]);
  });
});
