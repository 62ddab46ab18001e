import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { serve } from "../../src/runtime/serve.ts";
import { follow } from "./follow.ts";
import { memoryJournal, options } from "./memory.ts";

describe("the sweep", () => {
  it("comes to the last runs of a server that is away every now and then", { timeout: 60_000 }, async () => {
    const store = createDemoStore({ maxRuns: 1000 });
    for (let i = 0; i < 900; i++) {
      Object.assign(store.createRun("0", { name: "r", startTime: i }), { status: "FINISHED", endTime: 5 });
    }
    const app = createMlflowApp(store);
    let polls = 0;
    let furthest = 0;
    const answer = async (request: Request) => {
      const body = request.url.endsWith("/runs/search") ? await request.clone().json() : {};
      if (body.run_view_type === "ALL" && body.max_results === 50 && body.page_token) {
        furthest = Math.max(furthest, JSON.parse(atob(body.page_token)).offset);
      }
      const isAway = body.filter?.includes("status") && body.max_results > 50 && ++polls % 4 === 0;
      return isAway ? new Response("starting", { status: 503 }) : app.fetch(request);
    };
    const server = await serve(answer, { hostname: "127.0.0.1", port: 0 });
    const given = options(`http://127.0.0.1:${server.port}`, { interval: "100ms" });
    const source = follow(mlflowSource(given, { attempts: 1, sweepMs: 20, sweepPause: 0 }), memoryJournal());
    try {
      await source.until("the last page", () => furthest === 850);
      assert.ok(source.polls.some(({ ok }) => !ok));
    } finally {
      await source.stop();
      await server.stop();
    }
  });
});
