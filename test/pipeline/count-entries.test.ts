import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prometheus } from "../../plugins/prometheus.ts";
import { activateSink } from "../../src/delivery/activate.ts";
import { createSender } from "../../src/delivery/send.ts";
import { defineSink, v } from "../../src/index.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Held } from "../../src/model/entries.ts";
import { countEntries } from "../../src/pipeline/count-entries.ts";
import { createView } from "../../src/view/create-view.ts";

describe("countEntries()", () => {
  it("takes what sinks say that they hold, with and without a cap", async () => {
    const own = sinkHolding(() => ({ batches: 3, tokens: { count: 1, max: 5 } }));
    const counted = await countOf([own, active("prometheus", prometheus())]);
    assert.deepEqual(
      counted.filter(({ part, of }) => part.startsWith("sink/") && of !== "explained_reasons"),
      [
        { part: "sink/own", of: "batches", count: 3 },
        { part: "sink/own", of: "tokens", count: 1, max: 5 },
        { part: "sink/prometheus", of: "readers", count: 0, max: 16 },
        { part: "sink/prometheus", of: "groups", count: 0 },
      ],
    );
  });

  it("leaves out a sink that throws, and nothing else", async () => {
    const broken = sinkHolding(() => {
      throw new Error("not today");
    });
    const counted = await countOf([broken, active("prometheus", prometheus())]);
    const parts = new Set(counted.filter(({ of }) => of !== "explained_reasons").map(({ part }) => part));
    assert.deepEqual([...parts], ["sink/prometheus", "view", "journal", "process"]);
  });

  it("shows each cap there is, also of what the view and the journal hold", async () => {
    const caps = (await countOf([])).flatMap(({ part, of, max }) =>
      max === undefined ? [] : [`${part} ${of} ${max}`],
    );
    assert.deepEqual(caps, [
      "view runs 25",
      "view facts 100",
      "view metric_names 50000",
      "view refused_keys 100",
      "journal cached_batches 8",
      "process secrets 1000",
    ]);
  });
});

function sinkHolding(entries: () => Held) {
  const define = defineSink("own", v.strictObject({}), () => ({
    render: () => [],
    deliver: async () => ({ kind: "delivered" }),
    entries,
  }));
  return active("own", define());
}

function active(id: string, entry: ReturnType<typeof prometheus>) {
  const prepared = entry.prepare();
  if (!prepared.ok) throw new Error("refused");
  const resolved = { id, type: id, options: {}, host: {}, create: prepared.create };
  return activateSink(resolved, { send: createSender({ version: "test" }), now: Date.now });
}

async function countOf(sinks: readonly ReturnType<typeof active>[]) {
  const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
  try {
    return countEntries(journal, { sources: [], sinks, view: createView({ max: 100, retentionMs: 1000 }) });
  } finally {
    await journal.close();
  }
}
