import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { follow } from "./follow.ts";
import { memoryJournal, options } from "./memory.ts";
import { localServer } from "./proxy.ts";

describe("requests in flight", () => {
  it("are never more than concurrency, also after a failure amid a first sync", { timeout: 60_000 }, async () => {
    const keys = Array.from({ length: 60 }, (_, i) => `key ${String(i).padStart(2, "0")}`);
    const metric = (key: string) => ({ key, value: 1, timestamp: 1000, step: 0 });
    const runs = ["a".repeat(32), "b".repeat(32)].map((run_id) => ({
      info: { run_id, experiment_id: "1", status: "RUNNING", start_time: 1 },
      data: { metrics: keys.map(metric) },
    }));
    let inFlight = 0;
    let most = 0;
    let failures = 0;
    let reads = 0;
    const server = await localServer(async ({ path }, response) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      response.once("close", () => {
        inFlight -= 1;
      });
      const url = new URL(path, "http://x");
      const key = url.searchParams.get("metric_key") ?? "";
      let status = 200;
      let body: unknown = {};
      if (path.includes("experiments/search")) body = { experiments: [{ experiment_id: "1", name: "e" }] };
      if (path.includes("runs/search")) body = { runs };
      if (path.includes("get-history-bulk")) {
        reads += 1;
        await sleep(50);
        if (key === "key 07" && failures++ < 3) status = 502;
        body = { metrics: runs.map(({ info }) => ({ ...metric(key), run_id: info.run_id })) };
      }
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    const journal = memoryJournal();
    const limits = { attempts: 1, sweepMs: 1e9, modelsMs: 1e9 };
    const source = follow(mlflowSource(options(server.url, { interval: "100ms", concurrency: 3 }), limits), journal);
    await source.until("a failure", () => source.polls.some(({ ok }) => !ok));
    const asked = reads;
    await source.until("all points", () => journal.batches.flatMap(({ samples }) => samples).length === 120);
    await source.stop();
    server.close();
    assert.ok(most <= 3, `${most} in flight`);
    assert.ok(asked <= 15, `${asked} were asked for by the time of the failure`);
  });
});
