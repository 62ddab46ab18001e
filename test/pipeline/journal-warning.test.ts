import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { silentLog } from "../../src/model/log.ts";
import { journalWarning } from "../../src/pipeline/journal-warning.ts";
import { watchFill } from "../../src/pipeline/watch-fill.ts";
import { until } from "../beds/wait.ts";
import { makeBatch, makeSamples } from "../journal/make.ts";
import { makeStatus } from "../server/make-status.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const day = 86_400_000;
const { journal: roomy } = makeStatus();
const sinks = [
  { id: "fast", waiting: 3 },
  { id: "slow", waiting: 12_345 },
];

describe("journalWarning()", () => {
  it("is silent while there is room", () => {
    assert.equal(journalWarning({ ...roomy, fill: 0.79 }, sinks), undefined);
  });

  for (const [change, expected] of [
    [{ fill: 0.8, bytes: 0.8 * 1024 ** 3 }, "The journal is 80 % full, 819 MiB of 1.0 GiB"],
    [{ fill: 1.2, full: true, bytes: 1.2 * 1024 ** 3 }, "The journal is full, 1.2 GiB of 1.0 GiB"],
    [{ fill: 0.9, bound: "age", ageMs: 27 * day }, "The journal is 90 % full, it holds 27.0 days of 30.0 days"],
    [
      { fill: 0.8, bound: "disk", freeBytes: 80 * 1024 ** 2 },
      "The journal is 80 % full, 80 MiB are free on its disk, and 64 MiB must be",
    ],
  ] as const) {
    it(`says "${expected}"`, () => {
      const said = journalWarning({ ...roomy, ...change }, sinks);
      assert.equal(said, `${expected}: most waits for the sink "slow", 12\u202f345 samples`);
      assert.equal(journalWarning({ ...roomy, ...change }, []), expected);
    });
  }
});

describe("watchFill()", () => {
  it("warns before the journal is full, once each time", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 10_000 });
    stops.push(() => journal.close());
    const said: string[] = [];
    const log = {
      ...silentLog,
      warn: (text: string) => void said.push(text),
      info: (text: string) => void said.push(text),
    };
    stops.push(watchFill(journal, () => [], log, 5));
    await journal.commit("sink", 0);
    const fillTo = async (fill: number) => {
      while (journal.size().fill < fill) await journal.append({ batch: makeBatch(makeSamples(2)) });
    };
    await fillTo(0.8);
    await until(() => said.length === 1);
    assert.match(said[0] ?? "", /^The journal is 8\d % full/);
    assert.ok(!journal.size().full);
    await fillTo(1.1);
    await journal.commit("sink", journal.end());
    await journal.trim();
    await until(() => said.length === 2);
    assert.equal(said[1], "The journal has room again");
    await fillTo(0.8);
    await until(() => said.length === 3);
  });
});
