import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { type Served, serve } from "../../src/runtime/serve.ts";
import { bed } from "../beds/bed.ts";

const mlflow = await bed("mlflow");

/** Calls one server and gives its answer without what must differ: ids, addresses, users. */
async function ask(base: string, path: string, body?: object): Promise<unknown> {
  const init = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`${base}/api/2.0/mlflow/${path}`, init);
  return answer.json();
}

describe("the demo's MLflow, beside the real one", { skip: mlflow.skip }, () => {
  let served: Served;
  const bases: string[] = [];
  before(async () => {
    served = await serve(createMlflowApp(createDemoStore()).fetch, { hostname: "127.0.0.1", port: 0 });
    bases.push(mlflow.url, `http://127.0.0.1:${served.port}`);
  });
  after(() => served.stop());

  it("gives the same answers to what mlmon asks", async () => {
    const name = `demo ${Date.now()}`;
    const [real, demo] = await Promise.all(bases.map((base) => conversation(base, name)));
    assert.deepEqual(demo, real);
  });
});

/** Makes two runs and asks all that the source asks; returns the answers with ids by their order. */
async function conversation(base: string, name: string): Promise<unknown[]> {
  const post = async (path: string, body: object) => (await ask(base, path, body)) as Record<string, never>;
  const experiment = String((await post("experiments/create", { name })).experiment_id);
  const ids: string[] = [experiment];
  const create = async (run: string, start: number) => {
    const made = await post("runs/create", { experiment_id: experiment, run_name: run, start_time: start });
    const { run_id: id } = Reflect.get(Object(made.run), "info");
    ids.push(id);
    return String(id);
  };
  const one = await create("one", 1000);
  const two = await create("two", 2000);
  const points = [3, 1, 2].map((step) => ({ key: "a/b", value: step / 3, timestamp: 5000 + step, step }));
  await post("runs/log-batch", { run_id: one, metrics: points, params: [{ key: "p", value: "0.1" }] });
  await post("runs/log-batch", { run_id: one, tags: [{ key: "t", value: "ä" }] });
  await post("runs/update", { run_id: two, status: "FINISHED", end_time: 9000 });

  const search = { experiment_ids: [experiment], order_by: ["attributes.start_time ASC"], max_results: 1000 };
  const live = "attributes.status != 'FINISHED' AND attributes.status != 'FAILED' AND attributes.status != 'KILLED'";
  const history = `metrics/get-history?run_id=${one}&metric_key=a%2Fb`;
  const answers = [
    await post("experiments/search", { max_results: 10, filter: `name = '${name}'` }),
    await post("runs/search", search),
    await post("runs/search", { ...search, filter: live }),
    await post("runs/search", { ...search, filter: "attributes.end_time >= 9000" }),
    await post("runs/search", { ...search, filter: "attributes.end_time >= 9001" }),
    await post("runs/search", { ...search, filter: `attributes.run_id IN ('${two}')` }),
    await post("runs/search", { ...search, max_results: 1 }),
    await ask(base, `${history}&max_results=10`),
    await ask(base, `${history}&max_results=2`),
    await ask(base, `${history}&max_results=2&page_token=${btoa('{"offset": 2}')}`),
    await ask(base, `metrics/get-history?run_id=${one}&metric_key=none&max_results=10`),
  ];
  return answers.map((answer) => comparable(answer, ids));
}

/** Fields of which mlmon reads nothing, or that differ by nature. */
const ignored = new Set([
  ...["artifact_uri", "artifact_location", "user_id", "creation_time", "last_update_time", "inputs", "outputs"],
  ...["workspace", "next_page_token"],
]);

function comparable(value: unknown, ids: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item, ids));
    const keyed = items.every(
      (item) => typeof item === "object" && item !== null && "key" in item && !("step" in item),
    );
    return keyed ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([key]) => !ignored.has(key));
    return Object.fromEntries(entries.map(([key, inner]) => [key, comparable(inner, ids)] as const).sort());
  }
  return typeof value === "string" && ids.includes(value) ? `id ${ids.indexOf(value)}` : value;
}
