import assert from "node:assert/strict";
import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createSender } from "../../src/delivery/send.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { SourceContext } from "../../src/model/context.ts";
import { silentLog } from "../../src/model/log.ts";
import { recordedSource } from "../../src/preview/recorded.ts";
import { deadSamples, queueLine, waitingSamples } from "../../src/queue/lines.ts";
import { openFolderQueue } from "../../src/queue/open.ts";
import { makeBatch, makeFolder, makeRun, makeSamples } from "../journal/make.ts";

const folder = makeFolder();
after(() => folder.remove());

const sourceContext: SourceContext = {
  log: silentLog,
  now: () => 0,
  signal: new AbortController().signal,
  state: { get: () => undefined, set() {}, delete() {}, scan: () => [] },
  once: true,
  consumes: "points",
  progress() {},
  polled() {},
};

/** A journal with `count` samples that wait for sink "a", and dead letters of sinks "a" and "b". */
async function open(count: number) {
  const dir = mkdtempSync(join(folder.path, "state-"));
  const path = join(dir, "journal.db");
  const journal = await openJournal({ path, maxBytes: 1e9 });
  await journal.append({ batch: makeBatch(makeSamples(count, { run: makeRun("r") })) });
  const dead = (sink: string, value: number) => ({
    sink,
    time: 5,
    reason: `400: ${value}`,
    batch: makeBatch([{ name: "dead", value, time: 1, step: 2, labels: { k: "v" } }]),
  });
  const deadLetters = Array.from({ length: 600 }, (_, index) => dead(index % 2 === 0 ? "a" : "b", index));
  await journal.commit("sink/a", Math.min(3, journal.end()), { deadLetters });
  return { journal, path, dir };
}

const options = { send: createSender({ version: "0" }), signal: new AbortController().signal };

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("queueLine()", () => {
  it("writes every kind of number, so that dry-run --input reads the same back", async () => {
    const values = [1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 5e-324];
    const samples = values.map((value, step) => ({ name: '"value":0,', value, time: 7, step, run: makeRun("r") }));
    const file = join(folder.path, "lines.ndjson");
    writeFileSync(file, samples.map((sample) => queueLine({ sink: "a", sample, reason: "400: no", died: 9 })).join(""));
    const read: number[] = [];
    for await (const batch of recordedSource(file).read(sourceContext)) {
      read.push(...batch.samples.map((sample) => sample.value));
    }
    assert.deepEqual(read, values);
  });
});

describe("what waits and what is dead", () => {
  it("comes completely and in order, over many pages", async () => {
    const { journal, dir } = await open(25_000);
    const [first] = await journal.dead.replay({ sink: "a", reason: "400: 0" });
    assert.equal(first?.samples, 1);
    const { reading } = openFolderQueue(dir, options);
    const waiting: number[] = [];
    for await (const { sample } of waitingSamples(reading, "a")) waiting.push(sample.value);
    assert.deepEqual(waiting, [0, ...Array.from({ length: 24_997 }, (_, index) => index + 3)]);
    const dead = await all(deadSamples(reading, { sink: "a" }));
    assert.deepEqual(
      dead.map(({ sample, reason }) => [sample.value, reason]),
      Array.from({ length: 299 }, (_, index) => [2 * index + 2, `400: ${2 * index + 2}`]),
    );
    assert.equal((await all(deadSamples(reading, {}))).length, 599);
    await journal.close();
  });

  it("ends where the journal ended at the start, and passes over what is trimmed meanwhile", async () => {
    const { journal, dir } = await open(15_000);
    const waiting = waitingSamples(openFolderQueue(dir, options).reading, "a");
    assert.equal((await waiting.next()).value?.sample.value, 3);
    await journal.append({ batch: makeBatch(makeSamples(5)) });
    assert.equal((await all(waiting)).at(-1)?.sample.value, 14_999);
    const again = waitingSamples(openFolderQueue(dir, options).reading, "a");
    await again.next();
    await journal.commit("sink/a", journal.end());
    await journal.trim();
    // The page that was read stays.
    assert.equal((await all(again)).length, 9999);
    await journal.close();
  });

  it("is read without a file that grows as long as the reader stands still", async () => {
    const { journal, dir } = await open(15_000);
    const { reading } = openFolderQueue(dir, options);
    const waiting = waitingSamples(reading, "a");
    const dead = deadSamples(reading, {});
    await Promise.all([waiting.next(), dead.next()]);
    for (let index = 0; index < 2000; index++) {
      await journal.append({ batch: makeBatch(makeSamples(1000)) });
      await journal.commit("sink/a", journal.end());
      await journal.trim();
    }
    const { size } = statSync(join(dir, "journal.db-wal"));
    assert.ok(size < 32 * 1024 ** 2, `the WAL has ${size} bytes`);
    await journal.close();
  });

  it("cannot be changed by the one that reads", async () => {
    const { journal, path } = await open(1);
    const shown = await openJournal({ path, maxBytes: 1e9, readOnly: true });
    await assert.rejects(async () => shown.dead.drop({}), /cannot be opened for writing|transaction/);
    await shown.close();
    await journal.close();
  });
});
