import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectSource } from "../../src/mlflow/inspect-source.ts";
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
});
