import { Hono } from "hono";
import { infoJson, invalid, missing, pageOf, readBody, readQuery, runJson } from "./answers.ts";
import { type Key, parseOrder } from "./order.ts";
import { parseRunFilter } from "./run-filter.ts";
import { changeRun, logBatch, newRun, runId, runSearch, tagChange } from "./run-requests.ts";
import type { DemoStore, StoredRun } from "./store.ts";

/** What MLflow answers below `/api/2.0/mlflow/runs`, as far as mlmon asks. */
export function runRoutes(store: DemoStore): Hono {
  const routes = new Hono();

  routes.post("/create", async (c) => {
    const asked = await readBody(c, newRun);
    const { experiment_id: experiment, run_name: name, start_time: startTime } = asked;
    if (!store.experiments.has(experiment)) throw missing(`No Experiment with id=${experiment} exists`);
    const run = store.createRun(experiment, { name: "", startTime });
    for (const { key, value } of asked.tags) run.tags.set(key, value);
    rename(run, name || run.tags.get("mlflow.runName") || `run-${run.id.slice(0, 8)}`);
    return c.json({ run: runJson(run) });
  });

  routes.post("/update", async (c) => {
    const asked = await readBody(c, changeRun);
    const run = activeRun(asked.run_id);
    run.status = asked.status ?? run.status;
    run.endTime = asked.end_time ?? run.endTime;
    if (asked.run_name) rename(run, asked.run_name);
    return c.json({ run_info: infoJson(run) });
  });

  routes.post("/log-batch", async (c) => {
    const asked = await readBody(c, logBatch);
    const run = activeRun(asked.run_id);
    const changed = asked.params.find(({ key, value }) => (run.params.get(key) ?? value) !== value);
    if (changed) throw invalid(`Changing param values is not allowed. Params were already logged='${changed.key}'`);
    store.log(run, asked.metrics);
    for (const { key, value } of asked.params) run.params.set(key, value);
    for (const { key, value } of asked.tags) setTag(run, key, value);
    return c.json({});
  });

  routes.post("/set-tag", async (c) => {
    const { run_id: id, key, value } = await readBody(c, tagChange);
    setTag(activeRun(id), key, value);
    return c.json({});
  });

  routes.post("/delete", async (c) => {
    storedRun((await readBody(c, runId)).run_id).isDeleted = true;
    return c.json({});
  });

  routes.post("/restore", async (c) => {
    storedRun((await readBody(c, runId)).run_id).isDeleted = false;
    return c.json({});
  });

  routes.get("/get", (c) => c.json({ run: foundJson(storedRun(readQuery(c, runId).run_id)) }));

  routes.post("/search", async (c) => {
    const asked = await readBody(c, runSearch);
    const wanted = parseRunFilter(asked.filter);
    const order = parseOrder(asked.order_by, keys, ["start_time DESC", "run_id ASC"]);
    const experiments = new Set(asked.experiment_ids);
    const found = [...store.runs.values()]
      .filter((run) => experiments.has(run.experiment) && inView(run, asked.run_view_type) && wanted(run))
      .sort(order);
    const page = { name: "runs", size: asked.max_results, token: asked.page_token };
    return c.json(pageOf(found.map(foundJson), page));
  });

  function storedRun(id: string): StoredRun {
    const run = store.runs.get(id);
    if (!run) throw missing(`Run with id=${id} not found`);
    return run;
  }

  function activeRun(id: string): StoredRun {
    const run = storedRun(id);
    if (run.isDeleted) throw invalid(`The run ${id} must be in the 'active' state. Current state is deleted.`);
    return run;
  }

  return routes;
}

const keys: Readonly<Record<string, Key<StoredRun>>> = {
  start_time: ({ startTime }) => startTime,
  end_time: ({ endTime }) => endTime,
  status: ({ status }) => status,
  run_name: ({ name }) => name,
  run_id: ({ id }) => id,
};

/** A run that is read has outputs beside its inputs; one that was just created has none. */
function foundJson(run: StoredRun): object {
  return { ...runJson(run), outputs: {} };
}

function inView({ isDeleted }: StoredRun, view: string): boolean {
  return view === "ALL" || isDeleted === (view === "DELETED_ONLY");
}

/** A run's name is a tag, too; each follows the other. */
function rename(run: StoredRun, name: string): void {
  run.name = name;
  run.tags.set("mlflow.runName", name);
}

function setTag(run: StoredRun, key: string, value: string): void {
  if (key === "mlflow.runName") rename(run, value);
  else run.tags.set(key, value);
}
