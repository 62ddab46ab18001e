import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { bed } from "../beds/bed.ts";
import { logAwkward } from "../fixtures/awkward.ts";
import { compare, emittedPoints, serverPoints } from "./judge.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { countingProxy } from "./proxy.ts";
import { testWriter } from "./test-writer.ts";

const { skip, url } = await bed("mlflow");
const writer = testWriter(url);
const nothing = { missing: [], extra: [] };

describe("mlflow source on a real server", { skip }, () => {
  it("emits every awkward point once and unaltered, and nothing at a second call", { timeout: 120_000 }, async () => {
    const name = `awkward ${Date.now()}`;
    const made = await logAwkward(writer, name, Date.now());
    for (const pageSize of [10_000, 7]) {
      const journal = memoryJournal();
      const source = mlflowSource(options(url, { experiments: [name], systemMetrics: true }), {
        pageSize,
        batchSize: 500,
      });
      for await (const batch of source.read(context(journal))) journal.take(batch);
      for (const run of [made.values, made.endedWithoutTime, made.resumed, made.endsInFuture, made.empty]) {
        const server = await serverPoints(url, run);
        assert.deepEqual(compare(server, emittedPoints(journal.batches, run)), nothing);
      }
      assert.ok(emittedPoints(journal.batches, made.values).length > 3000);
      const runs = journal.batches.flatMap((batch) => batch.runs ?? []);
      assert.deepEqual(runs.map(({ name: run }) => run).sort(), [
        "empty",
        "ended without end_time",
        'quote " back\\slash ünï',
        "resumed",
        "skewed",
      ]);
      assert.equal(runs[0]?.id, made.endsInFuture);
      const ended = journal.batches.flatMap((batch) => batch.ended.map(({ id }) => id));
      assert.deepEqual(ended.sort(), [made.endedWithoutTime, made.endsInFuture].sort());

      const before = journal.batches.length;
      for await (const batch of source.read(context(journal))) journal.take(batch);
      const second = journal.batches.slice(before);
      assert.deepEqual(
        second.flatMap(({ samples, ended: ends, runs: ran = [] }) => [...samples, ...ends, ...ran]),
        [],
      );
    }
  });

  it("reads every run though one is deleted while it pages through them", { timeout: 120_000 }, async () => {
    const name = `deleted meanwhile ${Date.now()}`;
    const experiment = await writer.createExperiment(name);
    const runs: string[] = [];
    for (let i = 0; i < 120; i++) {
      const run = await writer.createRun(experiment, { startTime: Date.now() + i });
      await writer.logBatch(run, [{ key: "x", value: i, timestamp: Date.now(), step: 0 }]);
      runs.push(run);
    }
    let isDeleted = false;
    const proxy = await countingProxy(url, async ({ path, body }) => {
      if (isDeleted || !path.endsWith("/runs/search") || !body.includes('"page_token"')) return;
      isDeleted = true;
      await writer.deleteRun(runs[5] ?? "");
    });
    const journal = memoryJournal();
    const source = mlflowSource(options(proxy.url, { experiments: [name] }));
    for await (const batch of source.read(context(journal))) journal.take(batch);
    proxy.close();
    assert.ok(isDeleted);
    const read = new Set(journal.batches.flatMap(({ samples }) => samples.map(({ run }) => run?.id)));
    assert.deepEqual(
      runs.filter((run) => !read.has(run)),
      [],
    );
  });

  it("keeps system metrics for those who ask", { timeout: 120_000 }, async () => {
    const name = `system ${Date.now()}`;
    const experiment = await writer.createExperiment(name);
    const run = await writer.createRun(experiment, { startTime: Date.now() });
    const at = { timestamp: Date.now(), step: 0 };
    await writer.logBatch(run, [
      { key: "loss", value: 1, ...at },
      { key: "system/cpu", value: 2, ...at },
    ]);
    for (const systemMetrics of [false, true]) {
      const journal = memoryJournal();
      const source = mlflowSource(options(url, { experiments: [name], systemMetrics }));
      for await (const batch of source.read(context(journal))) journal.take(batch);
      const names = journal.batches.flatMap(({ samples }) => samples.map((sample) => sample.name));
      assert.deepEqual(names, systemMetrics ? ["loss", "system/cpu"] : ["loss"]);
    }
  });
});
