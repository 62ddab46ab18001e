import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { inspectMlflow } from "../../src/mlflow/inspect.ts";
import { inspectSource } from "../../src/mlflow/inspect-source.ts";
import { serve } from "../../src/runtime/serve.ts";
import { rising, scriptedStore } from "./many-series.ts";
import { options } from "./memory.ts";

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
    assert.deepEqual(new Map(facts).get("would read"), "1 experiments, 1 runs, 1 series");
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
