import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createView } from "../../src/view/create-view.ts";
import { day, ids, makeBatch, makeRun, makeSample, now, shown } from "./make.ts";

const options = { max: 1000, retentionMs: 30 * day };
const finished = { status: "finished" } as const;

describe("a run that ends", () => {
  it("loses its series at once when it is deleted, and gets them back when it is restored", () => {
    const view = createView(options);
    const run = makeRun("a");
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)] }));
    view.apply(makeBatch({ ended: [{ ...run, deleted: true }] }));
    assert.deepEqual(ids(view), []);
    view.apply(makeBatch({ runs: [run], restored: [makeSample(run, "loss", 1)] }));
    assert.equal(Object.values(shown(view))[0], 1);
  });

  it("keeps its series for the retention after its end", () => {
    const view = createView(options);
    const run = makeRun("a", { ...finished, endTime: now - day / 2 });
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)], ended: [run] }));
    view.expire(now + 29 * day);
    assert.equal(Object.keys(shown(view)).length, 1);
    view.expire(now + 29.5 * day);
    assert.deepEqual(ids(view), []);
  });

  const absurd = [
    ["is missing", {}],
    ["is 0", { endTime: 0 }],
    ["is in the future", { endTime: 2 ** 63 }],
    ["is before the start", { endTime: now - 2 * day }],
  ] as const;
  for (const [what, change] of absurd) {
    it(`keeps its series for the retention after it was read when its end ${what}`, () => {
      const view = createView(options);
      const run = makeRun("a", { ...finished, ...change });
      view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)], ended: [run] }));
      // A later look at the same run does not start the time anew.
      view.apply(makeBatch({ time: now + day, runs: [{ ...run, name: "renamed" }] }));
      view.expire(now + 30 * day - 1);
      assert.equal(Object.keys(shown(view)).length, 1);
      view.expire(now + 30 * day);
      assert.deepEqual(ids(view), []);
    });
  }

  it("has no series when it ended longer ago than the retention", () => {
    const view = createView(options);
    const run = makeRun("a", { ...finished, startTime: now - 50 * day, endTime: now - 40 * day });
    view.apply(makeBatch({ runs: [run], samples: [makeSample(run, "loss", 1)], ended: [run] }));
    assert.deepEqual(ids(view), []);
    assert.equal(view.counts().refused.size, 0);
  });

  it("lives on when it is resumed", () => {
    const view = createView(options);
    const run = makeRun("a", { ...finished, endTime: now - 1000 });
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)], ended: [run] }));
    view.apply(makeBatch({ samples: [makeSample(makeRun("a"), "loss", 2, { step: 1 })] }));
    view.expire(now + 1000 * day);
    assert.equal(Object.values(shown(view))[0], 2);
  });
});

describe("the cap", () => {
  it("refuses, counts and names what it has no room for, and is never exceeded", () => {
    const view = createView({ ...options, max: 6 });
    const run = makeRun("a");
    view.apply(makeBatch({ samples: ["x", "y", "z", "z"].map((key, step) => makeSample(run, key, 1, { step })) }));
    assert.equal(Object.keys(shown(view)).length, 2);
    assert.deepEqual([...view.counts().refused], [["z", 2]]);
    view.apply(
      makeBatch({ samples: [makeSample(makeRun("b"), "x", 1)], facts: [{ name: "up", value: 1, time: 0, step: 0 }] }),
    );
    assert.ok(view.counts().series <= 6);
    assert.deepEqual(
      [...view.counts().refused],
      [
        ["z", 2],
        ["x", 1],
        ["up", 1],
      ],
    );
  });

  it("lets the longest ended run go for a living one, but not a living one for an ended", () => {
    const view = createView({ ...options, max: 10 });
    const old = makeRun("old", { ...finished, endTime: now - 2000 });
    const older = makeRun("older", { ...finished, endTime: now - 3000 });
    view.apply(makeBatch({ samples: [makeSample(old, "x", 1)], ended: [old] }));
    view.apply(makeBatch({ samples: [makeSample(older, "x", 2)], ended: [older] }));
    view.apply(makeBatch({ samples: [makeSample(makeRun("live"), "x", 3)] }));
    assert.deepEqual(Object.values(shown(view)).sort(), [1, 3]);
    view.apply(makeBatch({ samples: [makeSample(older, "x", 2)] }));
    assert.deepEqual(Object.values(shown(view)).sort(), [1, 3]);
  });

  it("names at most 100 keys", () => {
    const view = createView({ ...options, max: 4 });
    const run = makeRun("a");
    view.apply(makeBatch({ samples: Array.from({ length: 300 }, (_, key) => makeSample(run, `k${key}`, 1)) }));
    const { refused } = view.counts();
    assert.equal(refused.size, 100);
    assert.equal(refused.get("other"), 201);
  });
});
