import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Batch } from "../../src/model/batch.ts";
import type { Run, RunStatus } from "../../src/model/run.ts";
import { createView, restoreView } from "../../src/view/create-view.ts";
import { day, ids, makeBatch, makeRun, makeSample, now, shown } from "./make.ts";

const options = { max: 40, retentionMs: 30 * day };

describe("a snapshot", () => {
  it("gives back an equal view at any moment, which goes on as the first would have", () => {
    const property = fc.property(fc.array(anyBatch, { maxLength: 12 }), fc.nat(12), (batches, cut) => {
      const whole = createView(options);
      let cutView = createView(options);
      for (const [index, batch] of batches.entries()) {
        if (index === cut) cutView = restoreView(cutView.snapshot(), options);
        whole.apply(batch);
        cutView.apply(batch);
      }
      assert.deepEqual(cutView.latest(now), whole.latest(now));
      assert.deepEqual(cutView.counts(), whole.counts());
      assert.equal(cutView.version, whole.version);
      assert.equal(whole.counts().series, new Set(ids(whole)).size);
      assert.ok(whole.counts().series <= options.max);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("remembers which of two keys came first", () => {
    const view = createView(options);
    const run = makeRun("a");
    view.apply(makeBatch({ samples: [makeSample(run, "a.b", 1), makeSample(run, "a/b", 2)] }));
    const restored = restoreView(view.snapshot(), options);
    restored.apply(makeBatch({ samples: [makeSample(run, "a/b", 3, { step: 1 })] }));
    assert.deepEqual(Object.values(shown(restored)), [1, 3]);
  });

  it("takes about 30 bytes a series", () => {
    const view = createView({ ...options, max: 20_000 });
    for (let index = 0; index < 100; index++) {
      const run = makeRun(`r${index}`);
      view.apply(makeBatch({ samples: Array.from({ length: 100 }, (_, key) => makeSample(run, `key ${key}`, key)) }));
    }
    assert.ok(view.snapshot().length < 350_000);
  });

  it("keeps within a smaller cap", () => {
    const view = createView(options);
    for (const id of ["a", "b", "c"]) view.apply(makeBatch({ samples: [makeSample(makeRun(id), "loss", 1)] }));
    assert.ok(restoreView(view.snapshot(), { ...options, max: 11 }).counts().series <= 11);
  });

  it("leaves behind what came from a source that is gone", () => {
    const view = createView(options);
    const fact = { name: "up", value: 1, time: 0, step: 0 };
    view.apply(makeBatch({ samples: [makeSample(makeRun("a"), "loss", 1)], facts: [fact], source: "old" }));
    view.apply(makeBatch({ samples: [makeSample(makeRun("b"), "loss", 2)], facts: [fact], source: "new" }));
    const restored = restoreView(view.snapshot(), { ...options, sources: ["new"] });
    assert.deepEqual(Object.values(shown(restored)), [2, 1]);
    assert.ok(restored.version > view.version);
  });

  it("of another form is refused in words", () => {
    const bytes = createView(options).snapshot().slice();
    bytes[0] = 9;
    assert.throws(() => restoreView(bytes, options), /its form is 9, known is 1/);
  });

  it("that is damaged or cut is refused in words", () => {
    const bytes = createView(options).snapshot().slice();
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    assert.throws(() => restoreView(bytes, options), /checksum differs/);
    assert.throws(() => restoreView(bytes.subarray(0, 5), options), /it has only 5 bytes/);
  });
});

const statuses: readonly RunStatus[] = ["running", "finished", "failed"];
const anyRun: fc.Arbitrary<Run> = fc
  .record({
    id: fc.constantFrom("12345678a", "12345678b", "b", "c", "d"),
    status: fc.constantFrom(...statuses),
    stage: fc.constantFrom("None", "Staging"),
    endTime: fc.constantFrom(undefined, 0, now - 40 * day, now - 3000, now - 10, 2 ** 63),
  })
  .map(({ id, endTime, ...rest }) => makeRun(id, { startTime: 0, ...rest, ...(endTime !== undefined && { endTime }) }));
const anyValue = fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY));
const anyLabels = fc.option(
  fc.dictionary(fc.constantFrom("team", "te.am", "job"), fc.constantFrom("", "x", "é"), { noNullPrototype: true }),
);
const anyBatch: fc.Arbitrary<Batch> = fc
  .record({
    time: fc.nat(40 * day),
    runs: fc.array(anyRun, { maxLength: 2 }),
    points: fc.array(
      fc.record({
        run: anyRun,
        key: fc.constantFrom("a.b", "a/b", "loss", "runs", ""),
        value: anyValue,
        step: fc.integer(),
        labels: anyLabels,
      }),
    ),
    ended: fc.array(fc.tuple(anyRun, fc.boolean()), { maxLength: 2 }),
    facts: fc.array(fc.record({ name: fc.constantFrom("up", "runs"), value: anyValue, labels: anyLabels })),
    source: fc.constantFrom("mlflow", "other"),
  })
  .map(({ time, runs, points, ended, facts, source }) => ({
    time: now + time,
    source,
    runs,
    samples: points.map(({ run, key, value, step, labels }) =>
      makeSample(run, key, value, { step, ...(labels && { labels }) }),
    ),
    ended: ended.map(([run, deleted]) => ({ ...run, deleted })),
    facts: facts.map(({ name, value, labels }) => ({ name, value, time: 0, step: 0, ...(labels && { labels }) })),
  }));
