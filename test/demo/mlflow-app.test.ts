import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createSeries } from "../../src/demo/series.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { type Served, serve } from "../../src/runtime/serve.ts";
import { bed } from "../beds/bed.ts";
import { comparable, type Exchange } from "./comparable.ts";
import { converse } from "./converse.ts";

const mlflow = await bed("mlflow");

describe("the demo's MLflow, beside the real one", { skip: mlflow.skip }, () => {
  let served: Served;
  let real: readonly Exchange[] = [];
  let demo: readonly Exchange[] = [];
  before(async () => {
    served = await serve(createMlflowApp(createDemoStore()).fetch, { hostname: "127.0.0.1", port: 0 });
    const name = `demo ${Date.now()}`;
    [real, demo] = await Promise.all([converse(mlflow.url, name), converse(`http://127.0.0.1:${served.port}`, name)]);
  });
  after(() => served.stop());

  it("gives equal answers, but for ids and times, to all that mlmon and its writer ask", () => {
    assert.equal(real.length, demo.length);
    for (const [index, { said }] of real.entries()) {
      assert.deepEqual({ said, ...comparable(demo[index]) }, { said, ...comparable(real[index]) });
    }
  });

  it("is asked about success, refusals and web pages alike", () => {
    const kinds = real.map(({ status, type }) => `${status} ${type}`);
    for (const kind of ["200 application/json", "400 application/json", "404 application/json", "404 text/html"]) {
      assert.ok(kinds.includes(kind), kind);
    }
  });
});

describe("the demo's store", () => {
  it("drops the oldest ended run beyond its cap, and the oldest of all when none has ended", () => {
    const store = createDemoStore({ maxRuns: 3 });
    const create = (name: string) => store.createRun("0", { name, startTime: 0 });
    create("a");
    create("b").status = "FAILED";
    create("c");
    create("d");
    const names = () => [...store.runs.values()].map(({ name }) => name).join("");
    assert.equal(names(), "acd");
    create("e");
    assert.equal(names(), "cde");
  });
});

describe("the demo's series", () => {
  // Apart from the comparison: MLflow sorts these two by their value alone, so their order there is left open.
  it("keeps NaN and 0 of one time and step as two points, each once", () => {
    const series = createSeries();
    for (const value of [Number.NaN, 0, -0, Number.NaN]) series.add({ key: "a", value, timestamp: 1, step: 1 });
    assert.deepEqual(
      series.points.map(({ value }) => value),
      [0, Number.NaN],
    );
  });
});

describe("the demo's MLflow", () => {
  it("says at its address what it is, and names paths that answer", async () => {
    const app = createMlflowApp(createDemoStore());
    const text = await (await app.request("/")).text();
    const paths = [...text.matchAll(/\/\w\S+/g)].map(([path]) => path);
    assert.equal(paths.length, 2);
    for (const path of paths) assert.equal((await app.request(path)).status, 200, path);
  });

  it("has no bulk history, so that the source reads the exact way", async () => {
    const answer = await createMlflowApp(createDemoStore()).request("/ajax-api/2.0/mlflow/metrics/get-history-bulk");
    assert.equal(answer.status, 404);
    assert.match(answer.headers.get("content-type") ?? "", /html/);
  });
});
