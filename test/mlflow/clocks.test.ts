import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { createClient } from "../../src/mlflow/client.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { MlflowError } from "../../src/mlflow/mlflow-error.ts";
import { follow } from "./follow.ts";
import { rising, scriptedStore } from "./many-series.ts";
import { memoryJournal, options } from "./memory.ts";
import { localServer } from "./proxy.ts";

const timeout = 30_000;
const hour = 3_600_000;

describe("mlflow source and clocks", () => {
  it("sees runs that are born and end between two polls though the server's clock was set back", {
    timeout,
  }, async () => {
    const store = await scriptedStore([]);
    const journal = memoryJournal();
    journal.state.set("mark", String(Date.now() + hour));
    const limits = { sweepMs: 1e9, experimentsMs: 1e9, modelsMs: 1e9 };
    const source = follow(mlflowSource(options(store.url, { interval: "100ms" }), limits), journal);
    try {
      await source.until("polls", () => source.polls.length > 1);
      store.runs.push({ id: "a", status: "FINISHED", endTime: Date.now(), series: { x: rising(3) } });
      await source.until("its points", (batches) => batches.flatMap(({ samples }) => samples).length === 3);
      await source.until("more polls", () => source.polls.length > 5);
      assert.ok(Number(journal.state.get("mark")) < Date.now() + hour / 2);
    } finally {
      await source.stop();
      store.close();
    }
  });

  it("does not find runs whose end lies in another century at each poll", { timeout }, async () => {
    const micro = (i: number) => ({ id: `r${i}`, status: "FINISHED" as const, endTime: 1000 * Date.now() });
    const store = await scriptedStore(
      Array.from({ length: 30 }, (_, i) => ({ ...micro(i), series: { x: rising(2) } })),
    );
    const journal = memoryJournal();
    const made = mlflowSource(options(store.url, { interval: "100ms" }), { sweepMs: 1e9, modelsMs: 1e9 });
    const source = follow(made, journal);
    try {
      await source.until("polls", () => source.polls.length > 2);
      assert.equal(journal.batches.flatMap(({ samples }) => samples).length, 60);
      const { experiments, recent_runs } = made.entries?.() ?? {};
      assert.deepEqual([experiments, recent_runs], [1, 0]);
      store.runs.push({
        id: "tomorrow",
        status: "FINISHED",
        endTime: Date.now() + 20 * hour,
        series: { x: rising(3) },
      });
      await source.until("one of a clock that is ahead", (batches) =>
        batches.some(({ ended }) => ended.some(({ id }) => id === "tomorrow")),
      );
    } finally {
      await source.stop();
      store.close();
    }
  });

  it("takes the date of Retry-After by the server's clock", { timeout }, async () => {
    const server = await localServer((_, response) => {
      const date = new Date(Date.now() + hour);
      const until = new Date(date.getTime() + 5000);
      response.writeHead(503, { date: date.toUTCString(), "retry-after": until.toUTCString() }).end();
    });
    const client = createClient(options(server.url), { attempts: 1 });
    const error = await client.get("/x", [], v.unknown()).catch((reason: unknown) => reason);
    server.close();
    assert.ok(error instanceof MlflowError);
    assert.equal(error.retryAfterMs, 5000);
  });
});
