import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectMlflow } from "../../src/mlflow/inspect.ts";
import { mlflow, mlflowSource } from "../../src/mlflow/mlflow.ts";
import { bed } from "../beds/bed.ts";
import { storeOf } from "../beds/mlflow-kind.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { testWriter } from "./test-writer.ts";

const { skip, url } = await bed("mlflow");
const writer = testWriter(url);

describe("mlflow options", () => {
  it("accept nothing at all, and say of other stores that they are not supported", () => {
    assert.equal(mlflow().prepare().ok, true);
    for (const trackingUri of [
      "sqlite:///mlflow.db",
      "./mlruns",
      "postgresql://u:p@h/d",
      "mysql+pymysql://h/d",
      "/data/mlruns",
    ]) {
      const prepared = mlflow({ trackingUri }).prepare();
      assert.ok(!prepared.ok);
      assert.match(prepared.issues[0]?.message ?? "", /not supported in this version/, trackingUri);
    }
    assert.equal(mlflow({ trackingUri: "nonsense" }).prepare().ok, false);
    assert.equal(mlflow({ interval: "soon" }).prepare().ok, false);
    assert.equal(mlflow({ maxExperiments: 0 }).prepare().ok, false);
  });

  it("default to the variables of MLflow's client", () => {
    const variables = {
      MLFLOW_TRACKING_URI: "http://m:1",
      MLFLOW_TRACKING_INSECURE_TLS: "true",
      MLFLOW_TRACKING_TOKEN: "abcd",
    };
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      const { trackingUri, verify, token } = options("http://m:1");
      assert.deepEqual([trackingUri, verify, String(token)], ["http://m:1", false, "<secret MLFLOW_TRACKING_TOKEN>"]);
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
      Object.assign(process.env, before);
    }
  });
});

describe("mlflow experiments", { skip }, () => {
  it("are narrowed by name, by tag, and to the newest that hold runs", { timeout: 60_000 }, async () => {
    const prefix = `choice ${Date.now()}`;
    const ids: string[] = [];
    for (const name of ["a", "b", "c", "empty"]) {
      const id = await writer.createExperiment(`${prefix} ${name}`);
      ids.push(id);
      if (name !== "empty") await writer.createRun(id, { name, startTime: Date.now() });
    }
    await writer.setExperimentTag(ids[0] ?? "", "team", "vision");
    const read = async (change: Parameters<typeof options>[1]) => {
      const journal = memoryJournal();
      for await (const batch of mlflowSource(options(url, change)).read(context(journal))) journal.take(batch);
      return journal.batches.flatMap(({ runs = [] }) => runs.map(({ name }) => name)).sort();
    };
    assert.deepEqual(await read({ experiments: [`${prefix} a`, `${prefix} b`] }), ["a", "b"]);
    assert.deepEqual(await read({ experiments: [`${prefix}*`] }), ["a", "b", "c"]);
    assert.deepEqual(await read({ experiments: [`${prefix}*`], tags: { team: "vision" } }), ["a"]);
    assert.deepEqual(await read({ experiments: [`${prefix}*`], maxExperiments: 2 }), ["b", "c"]);

    const report = await inspectMlflow(options(url, { experiments: [`${prefix}*`] }));
    assert.deepEqual(
      [report.found?.experiments, report.found?.runs, report.store, report.problems.filter(({ fatal }) => fatal)],
      [4, 3, await storeOf(url), []],
    );
    const none = await inspectMlflow(options(url, { experiments: ["there is no such"] }));
    assert.match(none.problems[0]?.message ?? "", /No experiment/);
  });
});
