import { Buffer } from "node:buffer";
import { type Context, Hono } from "hono";
import * as v from "valibot";
import { type DemoStore, latestOf, type StoredRun } from "./store.ts";

/**
 * Speaks as much of MLflow's REST API as mlmon asks for, in the shapes of MLflow 3.17: experiments, runs, points, an
 * empty registry. Made for the demo; it knows no users, no deletion and no other filters than those below.
 */
export function createMlflowApp(store: DemoStore): Hono {
  const app = new Hono();
  const api = "/api/2.0/mlflow";
  app.get("/health", (c) => c.text("OK"));
  app.get("/version", (c) => c.text("3.17.2"));
  app.get("/api/3.0/mlflow/server-info", (c) => c.json({ store_type: "SqlStore", workspaces_enabled: false }));

  app.post(`${api}/experiments/search`, async (c) => {
    const { filter = "" } = await body(c, v.object({ filter: v.optional(v.string()) }));
    const name = /^name = '(.*)'$/.exec(filter)?.[1];
    const found = [...store.experiments].filter(([, other]) => name === undefined || other === name);
    return c.json(found.length === 0 ? {} : { experiments: found.map(([id, other]) => experimentJson(id, other)) });
  });
  app.post(`${api}/experiments/create`, async (c) => {
    const { name } = await body(c, v.object({ name: v.string() }));
    return c.json({ experiment_id: store.createExperiment(name) });
  });

  app.post(`${api}/runs/create`, async (c) => {
    const asked = await body(c, newRun);
    const run = store.createRun(asked.experiment_id, asked.run_name, asked.start_time);
    for (const { key, value } of asked.tags) run.tags.set(key, value);
    return c.json({ run: runJson(run) });
  });
  app.post(`${api}/runs/update`, async (c) => {
    const asked = await body(c, runChange);
    const run = store.runs.get(asked.run_id);
    if (!run) return missing(c, asked.run_id);
    run.status = asked.status ?? run.status;
    run.endTime = asked.end_time ?? run.endTime;
    run.name = asked.run_name ?? run.name;
    return c.json({ run_info: runJson(run).info });
  });
  app.post(`${api}/runs/log-batch`, async (c) => {
    const asked = await body(c, logBatch);
    const run = store.runs.get(asked.run_id);
    if (!run) return missing(c, asked.run_id);
    store.log(run, asked.metrics);
    for (const { key, value } of asked.params) run.params.set(key, value);
    for (const { key, value } of asked.tags) run.tags.set(key, value);
    return c.json({});
  });
  app.post(`${api}/runs/search`, async (c) => {
    const asked = await body(c, runSearch);
    const wanted = filterOf(asked.filter);
    const found = [...store.runs.values()]
      .filter((run) => asked.experiment_ids.includes(run.experiment) && wanted(run))
      .sort((a, b) => a.startTime - b.startTime);
    return c.json(page(found.map(runJson), "runs", asked.max_results, asked.page_token));
  });

  app.get(`${api}/metrics/get-history`, (c) => {
    const { run_id: id = "", metric_key: key = "", max_results: most, page_token: token } = c.req.query();
    const points = store.runs.get(id)?.metrics.get(key) ?? [];
    return c.json(page(points, "metrics", Number(most ?? points.length), token));
  });
  app.get(`${api}/registered-models/search`, (c) => c.json({}));
  app.get(`${api}/model-versions/search`, (c) => c.json({}));
  app.notFound((c) => c.html("<!doctype html><title>404 Not Found</title><h1>Not Found</h1>", 404));
  return app;
}

const pair = v.object({ key: v.string(), value: v.string() });
const point = v.object({ key: v.string(), value: v.number(), timestamp: v.number(), step: v.number() });
const newRun = v.object({
  experiment_id: v.string(),
  run_name: v.optional(v.string(), ""),
  start_time: v.number(),
  tags: v.optional(v.array(pair), []),
});
const runChange = v.object({
  run_id: v.string(),
  status: v.optional(v.string()),
  end_time: v.optional(v.number()),
  run_name: v.optional(v.string()),
});
const logBatch = v.object({
  run_id: v.string(),
  metrics: v.optional(v.array(point), []),
  params: v.optional(v.array(pair), []),
  tags: v.optional(v.array(pair), []),
});
const runSearch = v.object({
  experiment_ids: v.optional(v.array(v.string()), []),
  filter: v.optional(v.string(), ""),
  max_results: v.optional(v.number(), 1000),
  page_token: v.optional(v.string()),
});

async function body<T extends v.GenericSchema>(c: Context, schema: T): Promise<v.InferOutput<T>> {
  return v.parse(schema, await c.req.json());
}

function missing(c: Context, id: string): Response {
  return c.json({ error_code: "RESOURCE_DOES_NOT_EXIST", message: `Run with id=${id} not found` }, 404);
}

/** The three filters that the source uses. */
function filterOf(filter: string): (run: StoredRun) => boolean {
  const since = /end_time >= (-?\d+)/.exec(filter)?.[1];
  if (since !== undefined) return ({ endTime }) => endTime !== undefined && endTime >= Number(since);
  const ids = /run_id IN \((.*)\)/.exec(filter)?.[1];
  if (ids !== undefined) return ({ id }) => ids.includes(`'${id}'`);
  return ({ status }) => !filter.includes(`status != '${status}'`);
}

/** A page by offset; the token is MLflow's own form. Empty lists are absent, as in MLflow. */
function page<T>(items: readonly T[], name: string, most: number, token: string | undefined): object {
  const from = token ? Number(JSON.parse(Buffer.from(token, "base64").toString("utf8")).offset) : 0;
  const part = items.slice(from, from + most);
  if (part.length === 0) return {};
  const next = from + part.length;
  if (next >= items.length) return { [name]: part };
  return { [name]: part, next_page_token: Buffer.from(`{"offset": ${next}}`).toString("base64") };
}

function experimentJson(id: string, name: string): object {
  return { experiment_id: id, name, lifecycle_stage: "active", creation_time: 0, last_update_time: 0 };
}

function runJson(run: StoredRun) {
  const pairs = (map: ReadonlyMap<string, string>) => [...map].map(([key, value]) => ({ key, value }));
  return {
    info: {
      run_uuid: run.id,
      run_id: run.id,
      experiment_id: run.experiment,
      run_name: run.name,
      user_id: "demo",
      status: run.status,
      start_time: run.startTime,
      ...(run.endTime !== undefined && { end_time: run.endTime }),
      lifecycle_stage: "active",
    },
    data: {
      ...(run.metrics.size > 0 && { metrics: [...run.metrics.values()].map(latestOf) }),
      ...(run.params.size > 0 && { params: pairs(run.params) }),
      tags: pairs(run.tags),
    },
  };
}
