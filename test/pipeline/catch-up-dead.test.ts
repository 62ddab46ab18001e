import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { activateSink } from "../../src/delivery/activate.ts";
import { defineSource, v } from "../../src/index.ts";
import { auditLedger } from "../../src/journal/audit.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { silentLog } from "../../src/model/log.ts";
import { catchUp } from "../../src/pipeline/catch-up.ts";
import { placeNew } from "../../src/pipeline/consumers.ts";
import { temporaryFolder } from "../beds/wait.ts";
import { makeBatch, makeRun, makeSamples, takenRows } from "../fixtures/samples.ts";

const total = 450;
const many = defineSource("many", v.strictObject({}), () => ({
  rereads: true,
  async *read() {
    yield makeBatch(makeSamples(total), { runs: [makeRun()] });
  },
}));

describe("the dead letters of a new sink's history", () => {
  it("come to the journal some at a time, each once though mlmon ends amid it", async () => {
    await using folder = await temporaryFolder();
    const inner = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    await inner.append({
      batch: makeBatch(makeSamples(total)),
      ledger: takenRows("many", total),
    });
    await inner.commit("sink/other", inner.end(), {
      ledger: [{ scope: "sink", id: "other", name: "delivered", reason: "", count: total }],
    });
    await inner.trim();
    await placeNew(inner, [{ id: "new", catchesUp: true }]);
    const moved: number[] = [];
    let isKilled = true;
    const journal: Journal = {
      ...inner,
      async commit(consumer, position, changes) {
        if (isKilled && moved.length === 2) throw new Error("killed");
        await inner.commit(consumer, position, changes);
        if (changes?.deadLetters?.length) moved.push(changes.deadLetters.length);
      },
    };
    const config = resolveConfig(
      { sources: [many()], sinks: [pramathus({ endpoint: "http://127.0.0.1:1" }, { id: "new" })] },
      { origin: "test", secrets: "ignore" },
    );
    const [resolved] = config.sinks;
    assert.ok(resolved);
    const refuse = async () => ({ kind: "answered", response: new Response("no", { status: 422 }) }) as const;
    const sink = activateSink(resolved, { send: refuse, now: Date.now });
    const { signal } = new AbortController();
    const ctx = { log: silentLog, now: Date.now, signal, state: inner.state("sink/new"), ownMetrics: async () => "" };
    const world = { folder: folder.path, config: () => config, caughtByReading: async () => {}, yields: () => false };
    const begin = () => catchUp(sink, ctx, { leave: signal, end: signal }, { ...world, journal });
    await assert.rejects(begin(), /killed/);
    // What a start after a kill does not find.
    inner.discard(["catch-up/new"]);
    isKilled = false;
    assert.equal(await begin(), true);
    assert.ok(moved.every((count) => count <= 100));
    const steps = inner.dead.page({}, 0, 1000).flatMap(({ batch }) => batch.samples.map(({ step }) => step));
    assert.deepEqual(steps, [...Array(total).keys()]);
    assert.deepEqual(auditLedger(inner), []);
    await inner.close();
  });
});
