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

/** A source that follows a store of which runs can be removed for good. */
async function following(change = {}) {
  const store = createDemoStore({ maxRuns: Number.POSITIVE_INFINITY });
  const app = createMlflowApp(store);
  let searches = 0;
  const answer = (request: Request) => {
    if (request.url.endsWith("/runs/search")) searches += 1;
    return app.fetch(request);
  };
  const server = await serve(answer, { hostname: "127.0.0.1", port: 0 });
  closers.push(() => server.stop());
  const journal = memoryJournal();
  const limits = { sweepMs: 5, sweepPause: 0, experimentsMs: 100, modelsMs: 60_000, ...change };
  const source = follow(
    mlflowSource(options(`http://127.0.0.1:${server.port}`, { interval: "100ms" }), limits),
    journal,
  );
  closers.push(() => source.stop());
  return { store, journal, source, searches: () => searches };
}

type World = Awaited<ReturnType<typeof following>>;

function addRuns({ store }: World, experiment: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const run = store.createRun(experiment, { name: `run ${index}`, startTime: 1000 + index });
    store.log(run, [{ key: "loss", value: index, timestamp: 1000, step: 0 }]);
    return run.id;
  });
}

function remove({ store }: World, ids: readonly string[], how: "deleted" | "for good"): void {
  for (const id of ids) {
    const run = store.runs.get(id);
    if (how === "for good") store.removeRun(id);
    else if (run) run.isDeleted = true;
  }
}

function entries({ journal }: World, prefix: string): number {
  return [...journal.state.scan(prefix)].length;
}

function untilRead({ source }: World, count: number): Promise<unknown> {
  return source.until(`${count} points`, (all) => all.reduce((sum, { samples }) => sum + samples.length, 0) >= count);
}

describe("mlflow source forgets", () => {
  it("every run that MLflow has removed, however many others lie in its trash", { timeout: 60_000 }, async () => {
    const world = await following();
    const ids = addRuns(world, "0", 1300);
    await untilRead(world, 1300);
    remove(world, ids, "deleted");
    await world.source.until("all to be seen deleted", () => entries(world, "deleted/") === 1300);
    assert.equal(entries(world, "live/"), 0);
    // Those that stay come first in the order of ids.
    const kept = ids.toSorted().slice(0, 1100);
    remove(world, ids.toSorted().slice(1100), "for good");
    await world.source.until("the removed to be forgotten", () => entries(world, "run/") === 1100);
    assert.equal(entries(world, "known/"), 1100);
    assert.equal(entries(world, "deleted/"), 1100);
    remove(world, kept, "for good");
    await world.source.until("all to be forgotten", () => entries(world, "run/") === 0);
    assert.deepEqual([entries(world, "known/"), entries(world, "deleted/")], [0, 0]);
  });

  it("the runs of an experiment that MLflow has removed, and its counts", { timeout: 60_000 }, async () => {
    const world = await following();
    const { id } = world.store.createExperiment("short-lived");
    const ids = addRuns(world, id, 20);
    await untilRead(world, 20);
    const facts = () => JSON.stringify(world.journal.batches.findLast(({ facts }) => facts?.some(isRuns))?.facts ?? []);
    await world.source.until("its counts", () => facts().includes("short-lived"));
    world.store.removeExperiment(id);
    remove(world, ids, "for good");
    addRuns(world, "0", 1);
    await world.source.until("its runs to be forgotten", () => entries(world, "run/") === 1);
    await world.source.until("its counts to be dropped", () => !facts().includes("short-lived"));
    assert.deepEqual([entries(world, "deleted/"), entries(world, "live/")], [0, 1]);
  });

  it("the series of a deleted run soon, however many others have ended", { timeout: 60_000 }, async () => {
    const world = await following();
    const ids = addRuns(world, "0", 4000);
    for (const run of world.store.runs.values()) Object.assign(run, { status: "FINISHED", endTime: 5 });
    await untilRead(world, 4000);
    await world.source.until("polls", () => world.source.polls.length > 2);
    remove(world, ids.slice(-1), "deleted");
    const before = world.searches();
    await world.source.until("its end", (all) => all.some(({ ended }) => ended.some((run) => run.deleted)));
    assert.ok(world.searches() - before < 30, `${world.searches() - before} searches`);
  });

  it("it as soon while many others wait for their last comparison", { timeout: 60_000 }, async () => {
    const world = await following({ graceMs: 0 });
    const ids = addRuns(world, "0", 1500);
    for (const run of world.store.runs.values()) run.status = "FINISHED";
    await untilRead(world, 1500);
    remove(world, ids.slice(-1), "deleted");
    const before = world.searches();
    await world.source.until("its end", (all) => all.some(({ ended }) => ended.some((run) => run.deleted)));
    assert.ok(world.searches() - before < 60, `${world.searches() - before} searches`);
    await world.source.until("the end of all comparisons", () => entries(world, "live/") === 0);
  });

  it("nothing of runs that are deleted and may be restored", { timeout: 60_000 }, async () => {
    const world = await following();
    const ids = addRuns(world, "0", 3);
    await untilRead(world, 3);
    remove(world, ids, "deleted");
    await world.source.until("all to be seen deleted", () => entries(world, "deleted/") === 3);
    const [first = ""] = ids;
    const run = world.store.runs.get(first);
    assert.ok(run);
    run.isDeleted = false;
    world.store.log(run, [{ key: "loss", value: 9, timestamp: 2000, step: 1 }]);
    await untilRead(world, 4);
    const values = world.journal.batches.flatMap(({ samples }) => samples).filter((sample) => sample.run?.id === first);
    assert.deepEqual(
      values.map(({ value }) => value),
      [0, 9],
    );
  });
});

function isRuns({ name }: { readonly name: string }): boolean {
  return name === "runs";
}
