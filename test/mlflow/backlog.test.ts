import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore, type DemoStore } from "../../src/demo/store.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import type { Poll, SourceContext } from "../../src/model/context.ts";
import { serve } from "../../src/runtime/serve.ts";
import { follow } from "./follow.ts";
import { context, type MemoryJournal, memoryJournal, options } from "./memory.ts";

const timeout = 60_000;
/** No sweep: what is found must be found by polls and by what reads the backlog. */
const noSweep = { sweepMs: 1e9, modelsMs: 1e9 };
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A store behind a server that may take its time; sources that follow it share a journal. */
async function world(onRequest: (url: string, body: string) => number = () => 0) {
  const store = createDemoStore({ maxRuns: Number.POSITIVE_INFINITY });
  const app = createMlflowApp(store);
  const answer = async (request: Request) => {
    const body = request.method === "POST" ? await request.clone().text() : "";
    await sleep(onRequest(request.url, body));
    return app.fetch(request);
  };
  const server = await serve(answer, { hostname: "127.0.0.1", port: 0 });
  closers.push(() => server.stop());
  const journal = memoryJournal();
  const make = (limits: object, interval = "100ms") =>
    mlflowSource(options(`http://127.0.0.1:${server.port}`, { interval }), { ...noSweep, ...limits });
  return {
    store,
    journal,
    read: (limits: object, change: Partial<SourceContext>, polled: (poll: Poll) => void) =>
      make(limits).read(context(journal, { once: false, ...change, polled })),
    start(limits = {}, change: Partial<SourceContext> = {}, interval?: string) {
      const source = follow(make(limits, interval), journal, change);
      closers.push(() => source.stop());
      return source;
    },
  };
}

/** Adds a run of one series with values from 0 on. */
function addRun(store: DemoStore, name: string, points: number, experiment = "0") {
  const run = store.createRun(experiment, { name, startTime: store.runs.size + 1 });
  for (let step = 0; step < points; step++) store.log(run, [{ key: "x", value: step, timestamp: 1000 + step, step }]);
  return run;
}

function addEnded(store: DemoStore, count: number, points: number, endTime = 5, experiment = "0"): void {
  for (let i = 0; i < count; i++) {
    Object.assign(addRun(store, `ended ${i}`, points, experiment), { status: "FINISHED", endTime });
  }
}

const slowHistory = (url: string) => (url.includes("get-history") ? 10 : 0);
const samples = ({ batches }: MemoryJournal) => batches.flatMap((batch) => batch.samples);
const valuesOf = (journal: MemoryJournal, name: string) =>
  samples(journal).flatMap((sample) => (sample.run?.name === name ? sample.value : []));

describe("mlflow source at a store with a long past", () => {
  it("shows live runs first and keeps them fresh while the past is read", { timeout }, async () => {
    const { store, journal, start } = await world(slowHistory);
    addEnded(store, 400, 2);
    const live = addRun(store, "live", 1);
    const source = start();
    await source.until("the live run", () => valuesOf(journal, "live").length === 1);
    assert.equal(samples(journal).length, 1);
    store.log(live, [{ key: "x", value: 1, timestamp: 2000, step: 1 }]);
    await source.until("its next point", () => valuesOf(journal, "live").length === 2);
    const read = samples(journal).length;
    assert.ok(read < 802, "all had been read before");
    assert.ok(source.polls.every((poll) => poll.ok && poll.behind));
    await source.until("a poll after which all is read", () => source.polls.some((poll) => poll.ok && !poll.behind));
    assert.equal(samples(journal).length, 802);
    const counts = journal.batches.flatMap(({ facts = [] }) => facts.filter(({ name }) => name === "runs"));
    // What is counted before all was read is no number of runs.
    assert.deepEqual(
      counts.map(({ labels, value }) => [labels?.status, value]),
      [
        ["finished", 400],
        ["running", 1],
      ],
    );
    assert.deepEqual(valuesOf(journal, "live"), [0, 1]);
    for (let i = 0; i < 400; i++) assert.deepEqual(valuesOf(journal, `ended ${i}`), [0, 1]);
  });

  it("neither loses nor repeats a point when it is killed again and again", { timeout }, async () => {
    const { store, journal, read, start } = await world();
    addEnded(store, 300, 7);
    const live = [1, 2, 3].map((i) => addRun(store, `live ${i}`, 1));
    let steps = 1;
    let kills = 0;
    for (let isDone = false; !isDone; kills++) {
      assert.ok(kills < 500);
      const stopping = new AbortController();
      const reading = read({ batchSize: 40 }, { signal: stopping.signal }, (poll) => {
        isDone = poll.ok && !poll.behind;
        if (isDone) stopping.abort();
      });
      let taken = 0;
      for await (const batch of reading) {
        // Every third time the first batch is lost, as it had not been committed.
        if (kills % 3 === 2 && taken === 0) break;
        journal.take(batch);
        if (steps < 60) {
          for (const run of live) store.log(run, [{ key: "x", value: steps, timestamp: 9000 - steps, step: steps }]);
          steps += 1;
        }
        if (++taken === 3) break;
      }
      journal.crash();
    }
    const source = start();
    await source.until("a poll", () => source.polls.some((poll) => poll.ok && !poll.behind));
    const inOrder = (values: number[]) => values.toSorted((a, b) => a - b);
    for (const { name } of live) assert.deepEqual(inOrder(valuesOf(journal, name)), [...Array(steps).keys()]);
    for (let i = 0; i < 300; i++) assert.deepEqual(valuesOf(journal, `ended ${i}`), [...Array(7).keys()]);
    assert.ok(kills > 10, `${kills} kills`);
  });

  it("says soon that it reads, and goes on at once, however long its interval is", { timeout }, async () => {
    const { store, journal, start } = await world(slowHistory);
    addEnded(store, 1800, 1);
    const source = start({}, {}, "10m");
    await source.until("a first poll", () => source.polls.length > 0);
    assert.ok(samples(journal).length < 1800);
    await source.until("all", () => samples(journal).length === 1800);
  });

  it("takes a run that ends while the past is read for ended", { timeout }, async () => {
    const { store, journal, start } = await world(slowHistory);
    addEnded(store, 150, 2);
    const live = addRun(store, "live", 1);
    addEnded(store, 50, 2);
    const source = start({ graceMs: 0 });
    await source.until("the live run", () => valuesOf(journal, "live").length === 1);
    Object.assign(live, { status: "FINISHED", endTime: 5 });
    await source.until("the end of the past", () => source.polls.some((poll) => poll.ok && !poll.behind));
    await source.until("more polls", () => source.polls.at(-3)?.ok);
    const told = journal.batches
      .flatMap(({ runs = [], ended }) => [...runs, ...ended])
      .filter(({ id }) => id === live.id);
    assert.deepEqual([...new Set(told.map(({ status }) => status))], ["running", "finished"]);
    assert.equal(journal.state.get(`live/${live.id}`), undefined);
    assert.deepEqual(valuesOf(journal, "live"), [0]);
  });

  it("holds no more than a page of what has ended while it was away", { timeout }, async () => {
    const readBefore: number[] = [];
    const { store, journal, start } = await world((_, body) => {
      if (body.includes('page_token":"')) readBefore.push(samples(journal).length);
      return 0;
    });
    journal.state.set("mark", "1000");
    journal.state.set("experiment/0", "history");
    addEnded(store, 1200, 1, 2000);
    const source = start();
    await source.until("all of it", () => samples(journal).length === 1200);
    assert.deepEqual(readBefore.slice(0, 2), [500, 1000]);
  });
});

describe("mlflow source after a long absence", () => {
  it("shows live runs first, and finds what ended without a time or by a slow clock", { timeout }, async () => {
    const { store, journal, start } = await world(slowHistory);
    addRun(store, "live", 1);
    let source = start();
    await source.until("the live run", () => valuesOf(journal, "live").length === 1);
    await source.stop();
    const hour = 3_600_000;
    journal.state.set("polled", String(Date.now() - 2 * hour));
    journal.state.set("mark", String(Date.now() - 2 * hour));
    addEnded(store, 300, 2, Date.now() - hour);
    Object.assign(addRun(store, "without a time", 2), { status: "FINISHED" });
    Object.assign(addRun(store, "slow clock", 2), { status: "FINISHED", endTime: 5 });
    addRun(store, "new", 2);
    source = start({ graceMs: 0 });
    await source.until("the new run", () => valuesOf(journal, "new").length === 2);
    assert.equal(samples(journal).length, 3);
    await source.until("a poll after which all is read", () => source.polls.some((poll) => poll.ok && !poll.behind));
    for (const name of ["without a time", "slow clock", "new"]) assert.deepEqual(valuesOf(journal, name), [0, 1], name);
    assert.equal(samples(journal).length, 607);
  });
});

describe("mlflow source that reads histories after it has read latest values alone", () => {
  it("has every point once when the first poll says so, also of runs that ended long ago", { timeout }, async () => {
    const { store, journal, start } = await world();
    addEnded(store, 120, 5);
    let source = start({}, { consumes: "latest" });
    await source.until("polls", () => source.polls.length > 2);
    assert.equal(samples(journal).length, 120);
    await source.stop();
    const before = journal.batches.length;
    source = start({}, { consumes: "points" });
    await source.until("a poll after which all is read", () => source.polls.some((poll) => poll.ok && !poll.behind));
    const values = journal.batches.slice(before).flatMap((batch) => batch.samples.map(({ value }) => value));
    assert.equal(values.length, 600);
    await source.stop();
  });

  it("finds what was logged while it read latest values, once", { timeout }, async () => {
    const { store, journal, start } = await world();
    const run = addRun(store, "a", 3);
    let source = start();
    await source.until("its points", () => samples(journal).length === 3);
    await source.stop();
    for (const step of [3, 4, 5]) store.log(run, [{ key: "x", value: step, timestamp: 2000 + step, step }]);
    Object.assign(run, { status: "FINISHED", endTime: 5 });
    source = start({ graceMs: 0 }, { consumes: "latest" });
    await source.until("its end", (batches) => batches.some(({ ended }) => ended.length > 0));
    await source.stop();
    const before = journal.batches.length;
    source = start({ graceMs: 0 });
    await source.until("a poll after which all is read", () => source.polls.some((poll) => poll.ok && !poll.behind));
    await source.stop();
    const values = journal.batches.slice(before).flatMap((batch) => batch.samples.map(({ value }) => value));
    assert.deepEqual(values, [3, 4, 5]);
  });
});
