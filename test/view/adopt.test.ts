import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Batch } from "../../src/model/batch.ts";
import { createView, restoreView } from "../../src/view/create-view.ts";
import { day, makeBatch, makeRun, makeSample, now, shown } from "./make.ts";

const options = { max: 1000, retentionMs: 30 * day };

function viewOf(batches: readonly Batch[], max = options.max) {
  const view = createView({ ...options, max });
  for (const batch of batches) view.apply(batch);
  return view;
}

const values = (view: ReturnType<typeof createView>) =>
  Object.fromEntries(Object.entries(shown(view)).map(([id, value]) => [id.replace(/,?experiment_name.*"/, ""), value]));

describe("a view that was built anew", () => {
  it("takes the place of all that its sources gave, and counts the series that differ", () => {
    const [a, b] = [makeRun("a"), makeRun("b")];
    const view = viewOf([
      makeBatch({
        samples: [makeSample(a, "loss", 9, { step: 9 }), makeSample(a, "same", 1), makeSample(b, "gone", 1)],
      }),
    ]);
    const rebuilt = viewOf([makeBatch({ samples: [makeSample(a, "loss", 5, { step: 5 }), makeSample(a, "same", 1)] })]);
    const { version } = view;
    assert.equal(view.adopt(rebuilt, ["mlflow"], now), 2);
    assert.ok(view.version > version);
    assert.deepEqual(Object.values(shown(view)), [5, 1]);
    assert.deepEqual(shown(restoreView(view.snapshot(), options)), shown(view));
    assert.equal(
      view.counts().series,
      viewOf([makeBatch({ samples: [makeSample(a, "loss", 5), makeSample(a, "same", 1)] })]).counts().series,
    );
  });

  it("leaves out a run whose retention has ended since it was read, and calls nothing full", () => {
    const endTime = now - options.retentionMs + 1;
    const old = makeRun("a", { status: "finished", startTime: endTime - 1, endTime });
    const rebuilt = viewOf([makeBatch({ samples: [makeSample(old, "loss", 1)] })]);
    assert.equal(rebuilt.counts().runs, 1);
    const view = viewOf([]);
    view.adopt(rebuilt, ["mlflow"], now + day);
    assert.deepEqual([view.counts().runs, view.counts().refused.size], [0, 0]);
  });

  it("changes nothing, and no version, when it shows the same", () => {
    const batch = makeBatch({
      samples: [makeSample(makeRun("a"), "loss", 1), makeSample(makeRun("a"), "acc", Number.NaN)],
    });
    const view = viewOf([batch]);
    const { version } = view;
    assert.equal(view.adopt(viewOf([batch]), ["mlflow"], now), 0);
    assert.equal(view.version, version);
  });

  it("says of a run whose time was over meanwhile not that the cap has refused it", () => {
    const ended = { ...makeRun("a"), status: "finished" as const, endTime: now };
    const rebuilt = viewOf([makeBatch({ samples: [makeSample(ended, "loss", 1)] })]);
    assert.equal(Object.keys(shown(rebuilt)).length, 1);
    const view = viewOf([]);
    assert.equal(view.adopt(rebuilt, ["mlflow"], now + 31 * day), 0);
    assert.deepEqual([...view.counts().refused], []);
    assert.equal(view.counts().runs, 0);
  });

  it("leaves what other sources gave, each run its short id, and what was told as facts", () => {
    const [first, second, other] = [makeRun("aaaaaaaa1"), makeRun("aaaaaaaa2"), makeRun("c")];
    const fact = (name: string, value: number) => ({ name, value, time: now, step: 0 });
    const view = viewOf([
      makeBatch({ samples: [makeSample(first, "loss", 1)] }),
      makeBatch({
        samples: [makeSample(second, "loss", 2), fact("measured", 1), fact("no_more", 1)],
        facts: [fact("up", 0)],
      }),
      makeBatch({ samples: [makeSample(other, "loss", 3)], source: "other" }),
    ]);
    const before = view.latest(now).samples.filter(({ name }) => name === "loss");
    const rebuilt = viewOf([
      makeBatch({ samples: [makeSample(second, "loss", 2), fact("measured", 2)], facts: [fact("up", 1)] }),
      makeBatch({ samples: [makeSample(first, "loss", 1)] }),
    ]);
    view.adopt(rebuilt, ["mlflow"], now);
    const after = view.latest(now).samples;
    assert.deepEqual(
      after.filter(({ name }) => name === "loss"),
      before,
    );
    const facts = after.filter(({ run }) => run === undefined).map(({ name, value }) => [name, value]);
    assert.deepEqual(facts, [
      ["measured", 2],
      ["up", 0],
    ]);
  });

  it("has room for as much as a view of its own", () => {
    const run = makeRun("a");
    const full = [1, 2, 3, 4].map((index) => makeSample(run, `old${index}`, 1));
    const view = viewOf([makeBatch({ samples: full })], 8);
    const rebuilt = viewOf(
      [makeBatch({ samples: full.map((sample) => ({ ...sample, name: `new ${sample.name}` })) })],
      8,
    );
    assert.equal(view.adopt(rebuilt, ["mlflow"], now), 8);
    assert.equal(Object.keys(values(view)).length, 4);
    assert.equal(view.counts().refused.size, 0);
  });
});
