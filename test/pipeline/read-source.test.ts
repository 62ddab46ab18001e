import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Batch } from "../../src/model/batch.ts";
import { WorkError } from "../../src/model/errors.ts";
import { silentLog } from "../../src/model/log.ts";
import { Secret, secret } from "../../src/model/secret.ts";
import type { Source } from "../../src/model/source.ts";
import { createIntake } from "../../src/pipeline/intake.ts";
import { type ActiveSource, activeSource, readSource } from "../../src/pipeline/read-source.ts";
import { keepView, openView, viewConsumer } from "../../src/pipeline/view-keeper.ts";
import { createView } from "../../src/view/create-view.ts";
import { until } from "../beds/wait.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";

/** Reads a source that fails each time after `batches`, `times` times, and returns the waits before it was made anew. */
async function fail(
  times: number,
  batches: readonly Batch[],
  error: Error,
): Promise<{ waits: number[]; active: ActiveSource }> {
  const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
  const view = createView({ max: 1000, retentionMs: 1e15 });
  const stop = new AbortController();
  const waits: number[] = [];
  const source: Source = {
    async *read() {
      yield* batches;
      throw error;
    },
  };
  const active = activeSource({ id: "broken", type: "broken", options: {}, create: () => source });
  const context = { log: silentLog, now: Date.now, signal: stop.signal, state: journal.state("source/broken") };
  await readSource(active, {
    journal,
    intake: createIntake(journal, view, []),
    makeRoom: async () => {},
    context: { ...context, once: false, consumes: "points" },
    onProgress() {},
    async wait(ms) {
      waits.push(ms);
      if (waits.length === times) stop.abort();
    },
  });
  await journal.close();
  return { waits, active };
}

describe("readSource()", () => {
  it("waits longer and longer for a source that fails at once", async () => {
    const { waits } = await fail(20, [], new Error("broken"));
    assert.ok(Math.max(...waits) > 5000, String(waits));
  });

  it("begins with short waits again when the source had read something", async () => {
    const { waits } = await fail(20, [makeBatch(makeSamples(1))], new Error("broken"));
    assert.ok(Math.max(...waits) <= 1000, String(waits));
  });

  it("says once when all is read, with how much, and where", async () => {
    const said: unknown[] = [];
    const stop = new AbortController();
    const source: Source = {
      place: "http://mlflow:5000",
      async *read({ polled }) {
        for (let poll = 0; poll < 3; poll++) {
          yield makeBatch(makeSamples(7));
          polled({ ok: true, nextMs: 1 });
        }
        stop.abort();
      },
    };
    const active = activeSource({ id: "mlflow", type: "mlflow", options: {}, create: () => source });
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    const log = { ...silentLog, info: (message: string, fields?: object) => void said.push([message, fields]) };
    const context = { log, now: () => 0, signal: stop.signal, state: journal.state("source/mlflow") };
    await readSource(active, {
      journal,
      intake: createIntake(journal, createView({ max: 1000, retentionMs: 1e15 }), []),
      makeRoom: async () => {},
      context: { ...context, once: false, consumes: "points" },
      onProgress() {},
    });
    await journal.close();
    assert.deepEqual(said, [["Source is read", { source: "mlflow", samples: 7, seconds: 0 }]]);
    assert.equal(active.report.place, "http://mlflow:5000");
  });

  it("waits while the view alone keeps a journal full whose disk takes no snapshot, and is not made anew", async () => {
    const inner = await openJournal({ path: ":memory:", maxBytes: 500 });
    let isDiskFull = true;
    const journal: typeof inner = {
      ...inner,
      async commit(consumer, ...step) {
        if (isDiskFull && consumer === viewConsumer) throw new WorkError("its disk is full");
        await inner.commit(consumer, ...step);
      },
    };
    const stop = new AbortController();
    let made = 0;
    const given: number[] = [];
    const source: Source = {
      async *read() {
        for (let step = 0; step < 2; step++) {
          given.push(step);
          yield makeBatch(makeSamples(100));
        }
        stop.abort();
      },
    };
    const create = () => {
      made++;
      return source;
    };
    const active = activeSource({ id: "mlflow", type: "mlflow", options: {}, create });
    for (const consumer of ["sink/slow", viewConsumer]) await inner.commit(consumer, 0);
    const view = await openView(journal, { max: 10, retentionMs: 1e15 });
    const intake = createIntake(journal, view, []);
    const keeper = keepView(view, journal, intake, Date.now);
    const context = { log: silentLog, now: Date.now, signal: stop.signal, state: journal.state("source/mlflow") };
    const reading = readSource(active, {
      journal,
      intake,
      makeRoom: keeper.makeRoom,
      context: { ...context, once: false, consumes: "points" },
      onProgress() {},
    });
    await until(() => active.report.state === "full");
    await journal.commit("sink/slow", journal.end());
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([active.report.state, given], ["full", [0]]);
    isDiskFull = false;
    await journal.commit("sink/slow", journal.end());
    await until(() => given.length === 2);
    await journal.commit("sink/slow", journal.end());
    await reading;
    keeper.stop();
    await journal.close();
    assert.equal(made, 1);
  });

  it("shows no secret in the reason of a failure", async () => {
    Secret.reveal(secret.literal("key", "a-key-of-a-source"));
    const { active } = await fail(1, [], new Error("refused a-key-of-a-source"));
    assert.equal(active.report.lastError?.reason, "refused <secret>");
  });
});
