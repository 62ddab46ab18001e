import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bulkLimits, createBulkReader } from "../../src/mlflow/bulk.ts";
import { createHistoryPages } from "../../src/mlflow/history-page.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { type Point, packPoint } from "../../src/mlflow/points.ts";
import { bed } from "../beds/bed.ts";
import { storeOf } from "../beds/mlflow-kind.ts";
import { compare, emittedPoints, serverPoints } from "./judge.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { countingProxy } from "./proxy.ts";
import { testClient, testWriter } from "./test-writer.ts";

const { skip, url } = await bed("mlflow");
const writer = testWriter(url);
const store = skip ? undefined : await storeOf(url);
const timeout = 120_000;
const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324];

/** Runs that share their keys, with histories of different lengths and awkward values, steps and times. */
async function logShared(name: string): Promise<string[]> {
  const experiment = await writer.createExperiment(name);
  const runs: string[] = [];
  for (let i = 0; i < 6; i++) {
    const run = await writer.createRun(experiment, { startTime: Date.now() + i });
    runs.push(run);
    for (const key of ["loss", "späne/ß"]) {
      const points = Array.from({ length: 20 + 10 * i }, (_, at) => ({
        key,
        value: special[at] ?? at / 3,
        timestamp: 5000 - (at % 7),
        step: at % 3 === 0 ? -at : 0,
      }));
      await writer.logBatch(run, points);
    }
  }
  return runs;
}

function byAll(a: Point, b: Point): number {
  return JSON.stringify(packPoint(a)) < JSON.stringify(packPoint(b)) ? -1 : 1;
}

describe("bulk reading", { skip }, () => {
  it("gives a first sync every point in a request per key", { timeout }, async () => {
    const name = `bulk ${Date.now()}`;
    const runs = await logShared(name);
    const proxy = await countingProxy(url);
    const journal = memoryJournal();
    const source = mlflowSource(options(proxy.url, { experiments: [name] }));
    for await (const batch of source.read(context(journal))) journal.take(batch);
    proxy.close();
    for (const run of runs) {
      const { missing, extra } = compare(await serverPoints(url, run), emittedPoints(journal.batches, run));
      assert.deepEqual([missing, extra], [[], []]);
    }
    assert.equal(proxy.seen.filter(({ path }) => path.includes("get-history")).length, 2);
  });

  it("hands out whole series in the order of get-history, and none that was cut", { timeout }, async () => {
    const runs = await logShared(`cut ${Date.now()}`);
    const client = testClient(url);
    const pages = createHistoryPages(client);
    for (const rows of [25_000, 75, 40]) {
      const reader = createBulkReader(client, 2, { ...bulkLimits, rows, runs: 4 });
      const key = "späne/ß";
      const series = await Promise.all(
        runs.map(async (run) => {
          const page = await pages.from({ run, key }, 0);
          const whole = page?.points ?? [];
          const latest = whole.toSorted(
            (a, b) => Number(b.step) - Number(a.step) || Number(b.timestamp) - Number(a.timestamp),
          );
          return { run, key, whole, latest: latest[0] ?? { value: 0, step: 0, timestamp: 0 } };
        }),
      );
      const window = reader.start(series);
      let handedOut = 0;
      for (const { run, whole } of series) {
        const points = await window.take({ run, key });
        if (!points) continue;
        handedOut += 1;
        // Nothing is made of the order where the store does not say that it is SQL.
        if (store === "SqlStore") assert.deepEqual(points, whole);
        else assert.deepEqual(points.toSorted(byAll), whole.toSorted(byAll));
      }
      assert.ok(rows === 40 ? handedOut < runs.length : handedOut >= runs.length - 1, `${handedOut} with ${rows} rows`);
    }
  });
});
