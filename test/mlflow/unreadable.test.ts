import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import type { Log } from "../../src/model/log.ts";
import { follow } from "./follow.ts";
import { rising, type ScriptedRun, type ScriptedStore, scriptedStore } from "./many-series.ts";
import { context, type MemoryJournal, memoryJournal, options } from "./memory.ts";
import type { Seen } from "./proxy.ts";

const timeout = 30_000;
/** No sweep, so that only polls can find what was missed. */
const quick = { attempts: 2, backoffMs: 1, sweepMs: 1e9, experimentsMs: 1e9, modelsMs: 1e9, pageSize: 10 };
const denied = [403, "Permission denied"] as const;
const gone = [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "Run 'a' not found" }] as const;
const malformed = [500, { error_code: "INTERNAL_ERROR", message: "Metric 'x' is malformed. No data found." }] as const;
const broken = [500, "<!doctype html><title>500 Internal Server Error</title>"] as const;
const refused = [400, { error_code: "INVALID_PARAMETER_VALUE", message: "metric_key" }] as const;

const running = (id: string, series: ScriptedRun["series"]): ScriptedRun => ({ id, status: "RUNNING", series });
const asks = (key: string) => (request: Seen) => request.path.includes(`metric_key=${key}&`);
const values = ({ batches }: MemoryJournal, key: string, run = "a") =>
  batches.flatMap(({ samples }) => samples.filter((s) => s.name === key && s.run?.id === run).map((s) => s.value));
const upTo = (count: number) => rising(count).map(({ value }) => value);

/** Follows a store, with its warnings. */
function watch(store: ScriptedStore, journal: MemoryJournal, limits = {}) {
  const warnings: unknown[] = [];
  const source = follow(mlflowSource(options(store.url, { interval: "100ms" }), { ...quick, ...limits }), journal, {
    log: gathering(warnings),
  });
  return { source, warnings };
}

function gathering(warnings: unknown[]): Log {
  const log: Log = {
    debug() {},
    info() {},
    warn: (_message, fields) => void warnings.push(fields?.metric),
    error() {},
  };
  return log;
}

describe("mlflow source with a series that cannot be read", () => {
  for (const [what, answer] of Object.entries({ denied, gone, malformed, broken, refused })) {
    it(`reads it once it can be (${what}), names it once, and goes on with the others`, { timeout }, async () => {
      const store = await scriptedStore([running("a", { x: rising(3), y: rising(3) }), running("b", { x: rising(2) })]);
      store.refuse = (request) => (asks("x")(request) && request.path.includes("run_id=a&") ? answer : undefined);
      const journal = memoryJournal();
      const { source, warnings } = watch(store, journal);
      try {
        await source.until(
          "the others",
          () => values(journal, "y").length === 3 && values(journal, "x", "b").length === 2,
        );
        const before = store.seen.filter(asks("x")).length;
        await source.until("another try", () => store.seen.filter(asks("x")).length > before);
        assert.ok(source.polls.every(({ ok }) => ok));
        store.refuse = () => undefined;
        await source.until("its points", () => values(journal, "x").length === 3);
        assert.deepEqual(values(journal, "x"), upTo(3));
        assert.deepEqual(
          warnings.filter((metric) => metric !== undefined),
          ["x"],
        );
      } finally {
        await source.stop();
        store.close();
      }
    });
  }

  it("reads on after a failure at the second page, repeating nothing", { timeout }, async () => {
    const store = await scriptedStore([running("a", { x: rising(25), y: rising(1) })]);
    store.refuse = (request) => (asks("x")(request) && request.path.includes("page_token") ? denied : undefined);
    const journal = memoryJournal();
    const { source } = watch(store, journal);
    try {
      await source.until(
        "the first page",
        () => values(journal, "x").length === 10 && values(journal, "y").length === 1,
      );
      await source.until("more polls", () => source.polls.length > 2);
      store.refuse = () => undefined;
      await source.until("all points", () => values(journal, "x").length >= 25);
      assert.deepEqual(values(journal, "x"), upTo(25));
    } finally {
      await source.stop();
      store.close();
    }
  });

  it("asks ever more seldom, not at every poll", { timeout }, async () => {
    const store = await scriptedStore([running("a", { x: rising(3) })]);
    store.refuse = (request) => (asks("x")(request) ? denied : undefined);
    const { source } = watch(store, memoryJournal());
    try {
      await source.until("16 polls", () => source.polls.length >= 16);
      const tries = store.seen.filter(asks("x")).length;
      assert.ok(tries >= 3 && tries <= 7, `${tries} tries in 16 polls`);
    } finally {
      await source.stop();
      store.close();
    }
  });

  it("reads it though its run has ended meanwhile, also after a restart", { timeout }, async () => {
    for (const restart of [false, true]) {
      const store = await scriptedStore([running("a", { x: rising(3), y: rising(1) })]);
      const journal = memoryJournal();
      // No grace: searches for ended runs do not show it again.
      let { source } = watch(store, journal, { graceMs: 0 });
      try {
        await source.until("the first points", () => values(journal, "x").length === 3);
        store.refuse = (request) => (asks("x")(request) ? denied : undefined);
        // The latest value stays the same: only reading to the end finds the other.
        const [run] = store.runs;
        run?.series.x?.unshift({ value: -1, timestamp: 1, step: 0 });
        if (run) Object.assign(run, { status: "FINISHED", endTime: 5 });
        await source.until("the end", (batches) => batches.some(({ ended }) => ended.some(({ id }) => id === "a")));
        const polls = source.polls.length;
        await source.until("more polls", () => source.polls.length > polls + 1);
        if (restart) {
          await source.stop();
          journal.crash();
          ({ source } = watch(store, journal, { graceMs: 0 }));
        }
        store.refuse = () => undefined;
        await source.until("the other point", () => values(journal, "x").length === 4);
        assert.deepEqual(values(journal, "x"), [0, 1, 2, -1]);
        await source.until("nothing left to do", () => journal.state.get("live/a") === undefined);
        const asked = store.seen.length;
        const then = source.polls.length;
        await source.until("idle polls", () => source.polls.length >= then + 4);
        assert.ok(store.seen.length - asked <= 2 * 6, `${store.seen.length - asked} requests in 4 idle polls`);
      } finally {
        await source.stop();
        store.close();
      }
    }
  });

  it("compares an ended run at the end of its grace, even when the server dies at that moment", {
    timeout,
  }, async () => {
    const store = await scriptedStore([running("a", { x: rising(3) })]);
    const journal = memoryJournal();
    const limits = { graceMs: 500, sweepMs: 20, sweepPause: 0, attempts: 1 };
    let { source } = watch(store, journal, limits);
    try {
      await source.until("the first points", () => values(journal, "x").length === 3);
      const [run] = store.runs;
      if (run) Object.assign(run, { status: "FINISHED", endTime: Date.now() });
      await source.until("the end", (batches) => batches.some(({ ended }) => ended.some(({ id }) => id === "a")));
      // What a late writer logs behind the latest value shows only in this comparison.
      run?.series.x?.unshift({ value: -1, timestamp: 1, step: 0 });
      store.refuse = (request) => (asks("x")(request) ? [502, "Bad Gateway"] : undefined);
      const over = Date.now() + 2 * limits.graceMs;
      await source.until("the end of its grace", () => Date.now() > over);
      const asked = store.seen.filter(asks("x")).length;
      await source.until("comparisons", () => store.seen.filter(asks("x")).length > asked + 1);
      store.runs.push(running("b", { y: rising(1) }));
      await source.until("another batch", () => values(journal, "y", "b").length === 1);
      await source.stop();
      journal.crash();
      assert.notEqual(journal.state.get("live/a"), undefined);
      store.refuse = () => undefined;
      ({ source } = watch(store, journal, limits));
      await source.until("the late point", () => values(journal, "x").length === 4);
      await source.until("the end of its grace", () => journal.state.get("live/a") === undefined);
    } finally {
      await source.stop();
      store.close();
    }
  });

  it("gives up when every series is answered by 500, as the server is broken", { timeout }, async () => {
    const keys = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const store = await scriptedStore([running("a", Object.fromEntries(keys.map((key) => [key, rising(2)])))]);
    store.refuse = ({ path }) => (path.includes("/get-history") ? malformed : undefined);
    const source = mlflowSource(options(store.url, { concurrency: 1 }), quick);
    const read = async () => {
      for await (const batch of source.read(context(memoryJournal()))) assert.ok(batch);
    };
    await assert.rejects(read(), /answered 500/);
    store.close();
  });
});
