import assert from "node:assert/strict";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { judgeSize } from "../../src/journal/journal-size.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { makeBatch, makeFolder, makeSamples } from "./make.ts";

const folder = makeFolder();
after(() => folder.remove());

const nothing = {
  bytes: 0,
  maxBytes: 1000,
  ageMs: 0,
  maxAgeMs: 1000,
  freeBytes: Number.POSITIVE_INFINITY,
  reserveBytes: 1000,
};

describe("judgeSize()", () => {
  const cases = [
    [{}, 0, false, undefined],
    [{ bytes: 800 }, 0.8, false, "bytes"],
    [{ bytes: 1000 }, 1, false, "bytes"],
    [{ bytes: 1001 }, 1.001, true, "bytes"],
    [{ bytes: 900, ageMs: 950 }, 0.95, false, "age"],
    [{ ageMs: 2000 }, 2, true, "age"],
    [{ freeBytes: 1250 }, 0.8, false, "disk"],
    [{ freeBytes: 999 }, 1000 / 999, true, "disk"],
    [{ freeBytes: 0 }, Number.POSITIVE_INFINITY, true, "disk"],
    [{ bytes: 1e12, maxBytes: Number.POSITIVE_INFINITY }, 0, false, undefined],
    [{ ageMs: 1e12, maxAgeMs: Number.POSITIVE_INFINITY }, 0, false, undefined],
    [{ bytes: 1, maxBytes: 0 }, Number.POSITIVE_INFINITY, true, "bytes"],
  ] as const;
  for (const [change, fill, full, bound] of cases) {
    it(`calls ${JSON.stringify(change)} filled by ${fill}`, () => {
      const size = judgeSize({ ...nothing, ...change });
      assert.deepEqual([size.fill, size.full], [fill, full]);
      if (bound) assert.equal(size.bound, bound);
    });
  }
});

describe("the age of a journal", () => {
  it("is the time between what it holds, whatever the clock says, also after a restart", async () => {
    const path = join(folder.path, "age.db");
    const options = { path, maxBytes: 1e9, maxAgeMs: 5000 };
    const journal = await openJournal(options);
    const append = (time: number) => journal.append({ batch: makeBatch(makeSamples(2), { time }) });
    await journal.commit("sink", 0);
    await append(1000);
    assert.equal(journal.size().ageMs, 0);
    await append(6000);
    assert.deepEqual([journal.size().ageMs, journal.size().full], [5000, false]);
    await append(6001);
    assert.deepEqual([journal.size().full, journal.size().bound], [true, "age"]);
    await journal.close();
    const again = await openJournal(options);
    assert.equal(again.size().ageMs, 5001);
    await again.commit("sink", 3);
    await again.trim();
    assert.deepEqual([again.size().ageMs, again.size().full], [1, false]);
    await again.commit("sink", again.end());
    await again.trim();
    assert.equal(again.size().ageMs, 0);
    await again.close();
  });

  it("is never below 0 when the clock goes back", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9, maxAgeMs: 5000 });
    for (const time of [9000, 1000]) await journal.append({ batch: makeBatch(makeSamples(1), { time }) });
    assert.equal(journal.size().ageMs, 0);
    await journal.close();
  });
});

describe("waitingBytes()", () => {
  it("shrinks with each sample that a sink passes, to 0", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    for (let index = 0; index < 3; index++) await journal.append({ batch: makeBatch(makeSamples(9)) });
    const { bytes } = journal.size();
    const sizes = Array.from({ length: 31 }, (_, position) => journal.waitingBytes(position));
    assert.equal(sizes[0], bytes);
    assert.equal(sizes[10], (bytes * 2) / 3);
    assert.equal(sizes[30], 0);
    assert.deepEqual(
      sizes,
      sizes.toSorted((one, other) => other - one),
    );
    await journal.close();
  });
});
