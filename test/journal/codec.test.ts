import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeBatch } from "../../src/journal/encode-batch.ts";
import { decodeBatch, openStoredBatch } from "../../src/journal/stored-batch.ts";
import { anyBatch } from "./arbitrary.ts";
import { makeBatch, makeRun, makeSamples } from "./make.ts";

describe("the stored form of a batch", () => {
  it("gives back every batch as it was", () => {
    fc.assert(
      fc.property(anyBatch, (batch) => {
        assert.deepStrictEqual(decodeBatch(encodeBatch(batch)), batch);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps NaN, infinities and minus zero in samples and facts", () => {
    const samples = [NaN, Infinity, -Infinity, -0, 0, 5e-324, 2 ** 53].map((value) => ({
      name: "x",
      value,
      time: value,
      step: value,
    }));
    const batch = makeBatch(samples, { facts: samples });
    assert.deepStrictEqual(decodeBatch(encodeBatch(batch)), batch);
  });

  it("gives all samples of a run one object, also where a transform made many equal ones", () => {
    const samples = [0, 1, 2].flatMap(() => [
      ...makeSamples(1, { run: makeRun("a") }),
      ...makeSamples(1, { run: makeRun("b"), labels: { k: "v" } }),
    ]);
    const decoded = decodeBatch(encodeBatch(makeBatch(samples, { runs: [makeRun("a")] })));
    assert.deepStrictEqual(decoded.samples, samples);
    assert.equal(new Set(decoded.samples.map(({ run }) => run)).size, 2);
    assert.equal(new Set(decoded.samples.map(({ labels }) => labels)).size, 2);
    assert.equal(decoded.runs?.[0], decoded.samples[0]?.run);
  });

  it("keeps two versions of one run apart", () => {
    const samples = [makeRun("a"), makeRun("a", { status: "finished", endTime: 5 })].flatMap((run) =>
      makeSamples(1, { run }),
    );
    assert.deepStrictEqual(decodeBatch(encodeBatch(makeBatch(samples))).samples, samples);
  });

  it("is found damaged whichever byte has changed or gone", () => {
    const batch = makeBatch(makeSamples(3, { run: makeRun("a") }));
    const bytes = encodeBatch(batch);
    for (let index = 0; index < bytes.length; index++) {
      const damaged = bytes.slice();
      damaged[index] = (damaged[index] ?? 0) ^ 0x10;
      assert.throws(() => decodeBatch(damaged), Error, `byte ${index} changed`);
      assert.throws(() => decodeBatch(bytes.subarray(0, index)), Error, `cut to ${index}`);
    }
    assert.deepStrictEqual(decodeBatch(bytes), batch);
  });

  it("opens from any offset of a larger buffer", () => {
    const batch = makeBatch(makeSamples(3));
    const bytes = encodeBatch(batch);
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    assert.deepStrictEqual(decodeBatch(larger.subarray(3)), batch);
  });

  it("counts 100 bytes a sample and its name and labels when it is cut", () => {
    const samples = [...makeSamples(2), ...makeSamples(2, { labels: { ab: "cde" } })];
    const stored = openStoredBatch(encodeBatch(makeBatch(samples)));
    const each = 100 + "loss".length;
    assert.deepStrictEqual(stored.fit(0, { samples: 9, bytes: 9999 }, 0), { to: 4, cost: 4 * each + 2 * 5 });
    assert.deepStrictEqual(stored.fit(0, { samples: 9, bytes: 3 * each + 4 }, 0), { to: 2, cost: 2 * each });
    assert.deepStrictEqual(stored.fit(0, { samples: 9, bytes: 3 * each + 5 }, 0), { to: 3, cost: 3 * each + 5 });
    assert.deepStrictEqual(stored.fit(1, { samples: 1, bytes: 0 }, 1), { to: 2, cost: each });
    assert.deepStrictEqual(stored.fit(1, { samples: 1, bytes: 0 }, 0), { to: 1, cost: 0 });
  });
});
