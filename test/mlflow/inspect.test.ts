import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { inspectMlflow } from "../../src/mlflow/inspect.ts";
import { inspectSource } from "../../src/mlflow/inspect-source.ts";
import { serve } from "../../src/runtime/serve.ts";
import { rising, scriptedStore } from "./many-series.ts";
import { options } from "./memory.ts";
import { localServer } from "./proxy.ts";

const timeout = 30_000;

describe("what doctor finds out about MLflow", () => {
  const refusals = {
    "forbids to search for runs": [403, "Permission denied"],
    "cannot search for runs": [500, { error_code: "INTERNAL_ERROR", message: "no such table: runs" }],
    "answers the search for runs with something else": [200, "<html>Sign in</html>"],
  } as const;
  for (const [what, refusal] of Object.entries(refusals)) {
    it(`is fatal when the server ${what}, and counts nothing`, { timeout }, async () => {
      const store = await scriptedStore([{ id: "a", status: "RUNNING", series: { x: rising(3) } }]);
      store.refuse = ({ path }) => (path.endsWith("/runs/search") ? refusal : undefined);
      const { facts, problems } = await inspectSource(options(store.url), new AbortController().signal);
      store.close();
      assert.deepEqual(
        problems.map(({ fatal }) => fatal),
        [true],
      );
      assert.match(problems[0]?.message ?? "", /runs\/search|answered 500/);
      assert.ok(!facts.some(([name]) => name === "would read"));
    });
  }

  it("is no failure when all can be read", { timeout }, async () => {
    const store = await scriptedStore([{ id: "a", status: "RUNNING", series: { x: rising(3) } }]);
    const { facts, problems } = await inspectSource(options(store.url), new AbortController().signal);
    store.close();
    assert.deepEqual(problems, []);
    assert.deepEqual(new Map(facts).get("would read"), "1 experiment, 1 run, 1 series");
  });

  it("takes no slow answer for a wrong clock", { timeout }, async () => {
    const server = await clockServer(0, 3000);
    const { facts, problems } = await inspectSource(options(server.url), new AbortController().signal);
    server.close();
    assert.equal(new Map(facts).get("clock"), "differs by less than 2 s");
    assert.deepEqual(problems, []);
  });

  it("says whose clock is ahead", { timeout }, async () => {
    for (const [ms, says] of [
      [90_000, /^\d+ s ahead of this machine's$/],
      [-90_000, /^\d+ s behind this machine's$/],
    ] as const) {
      const server = await clockServer(ms, 0);
      const { facts, problems } = await inspectSource(options(server.url), new AbortController().signal);
      server.close();
      const words = new Map(facts).get("clock") ?? "";
      assert.match(words, says);
      assert.equal(problems[0]?.message, `The server's clock is ${words}`);
    }
  });

  it("counts a store that is very large only for a while", { timeout }, async () => {
    const store = createDemoStore({ maxRuns: 1000 });
    for (let i = 0; i < 300; i++) store.createRun("0", { name: "r", startTime: i });
    const server = await serve(createMlflowApp(store).fetch, { hostname: "127.0.0.1", port: 0 });
    const given = options(`http://127.0.0.1:${server.port}`);
    const all = await inspectMlflow(given);
    const some = await inspectMlflow(given, undefined, 0);
    await server.stop();
    assert.deepEqual([all.found?.runs, all.found?.isAll], [300, true]);
    assert.deepEqual([some.found?.runs, some.found?.isAll], [100, false]);
  });
});

/** An MLflow with one run, whose clock is wrong and whose searches for runs take so long once they have begun. */
function clockServer(aheadMs: number, searchMs: number) {
  return localServer(({ path }, response) => {
    response.writeHead(200, {
      "content-type": "application/json",
      date: new Date(Date.now() + aheadMs).toUTCString(),
    });
    if (path.endsWith("/experiments/search"))
      return void response.end('{"experiments":[{"experiment_id":"1","name":"e","creation_time":1}]}');
    if (!path.endsWith("/runs/search")) return void response.end("{}");
    response.flushHeaders();
    const info = { run_id: "a".repeat(32), experiment_id: "1", status: "RUNNING", start_time: 1 };
    setTimeout(() => response.end(JSON.stringify({ runs: [{ info, data: {} }] })), searchMs);
  });
}
