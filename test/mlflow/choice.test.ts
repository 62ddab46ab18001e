import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { serve } from "../../src/runtime/serve.ts";
import { follow } from "./follow.ts";
import { memoryJournal, options } from "./memory.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe("mlflow source of the newest experiments", () => {
  it("ends the runs of one that is no more among them, a few at a time, and for good", {
    timeout: 60_000,
  }, async () => {
    let created = 0;
    const store = createDemoStore({ maxRuns: Number.POSITIVE_INFINITY, now: () => created++ });
    const server = await serve(createMlflowApp(store).fetch, { hostname: "127.0.0.1", port: 0 });
    closers.push(() => server.stop());
    const addRuns = (experiment: string, count: number, status: "RUNNING" | "FINISHED") => {
      for (let i = 0; i < count; i++) {
        const run = store.createRun(experiment, { name: "r", startTime: 1000 + i });
        store.log(run, [{ key: "x", value: i, timestamp: 1000, step: 0 }]);
        if (status === "FINISHED") Object.assign(run, { status, endTime: 5 });
      }
    };
    const old = store.createExperiment("old").id;
    addRuns(old, 1000, "FINISHED");
    addRuns(old, 5, "RUNNING");
    const journal = memoryJournal();
    const limits = { sweepMs: 1, sweepPause: 0, experimentsMs: 100, modelsMs: 1e9 };
    const given = options(`http://127.0.0.1:${server.port}`, { interval: "100ms", maxExperiments: 1 });
    const source = follow(mlflowSource(given, limits), journal);
    closers.push(() => source.stop());
    await source.until("all runs", () => journal.batches.flatMap(({ samples }) => samples).length === 1005);
    const polls = source.polls.length;
    await source.until("the sweep to be under way", () => source.polls.length > polls + 2);
    addRuns(store.createExperiment("new").id, 1, "RUNNING");
    const gone = () => journal.batches.flatMap(({ ended }) => ended.filter((run) => run.deleted));
    await source.until("their ends", () => gone().length === 1005);
    assert.ok(journal.batches.every(({ ended }) => ended.filter((run) => run.deleted).length <= 200));
    const before = journal.batches.length;
    const then = source.polls.length;
    await source.until("more polls", () => source.polls.length > then + 10);
    const later = journal.batches.slice(before);
    const back = later.flatMap(({ runs = [], restored = [], ended }) => [
      ...runs,
      ...restored.flatMap(({ run }) => run ?? []),
      ...ended,
    ]);
    assert.equal(back.filter(({ experiment }) => experiment.id === old).length, 0);
  });
});
