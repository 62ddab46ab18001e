import { Hono } from "hono";
import * as v from "valibot";
import { experimentJson, invalid, missing, pageOf, Refusal, readBody, readQuery } from "./answers.ts";
import { type Key, parseOrder } from "./order.ts";
import type { DemoStore, StoredExperiment } from "./store.ts";

/** What MLflow answers below `/api/2.0/mlflow/experiments`, as far as mlmon asks; there are no tags and no deletion. */
export function experimentRoutes(store: DemoStore): Hono {
  const routes = new Hono();

  routes.post("/search", async (c) => {
    const asked = await readBody(c, search);
    const wanted = nameFilter(asked.filter);
    const order = parseOrder(asked.order_by, keys, ["creation_time DESC", "experiment_id ASC"]);
    const active = asked.view_type !== "DELETED_ONLY";
    const found = [...store.experiments.values()].filter((experiment) => active && wanted(experiment)).sort(order);
    const page = { name: "experiments", size: asked.max_results, token: asked.page_token };
    return c.json(pageOf(found.map(experimentJson), page));
  });

  routes.post("/create", async (c) => {
    const { name } = await readBody(c, v.object({ name: v.pipe(v.string(), v.nonEmpty()) }));
    if (store.experimentByName(name)) {
      throw new Refusal(400, "RESOURCE_ALREADY_EXISTS", `Experiment(name=${name}) already exists.`);
    }
    return c.json({ experiment_id: store.createExperiment(name).id });
  });

  routes.get("/get", (c) => {
    const { experiment_id: id } = readQuery(c, v.object({ experiment_id: v.string() }));
    const experiment = store.experiments.get(id);
    if (!experiment) throw missing(`No Experiment with id=${id} exists`);
    return c.json({ experiment: experimentJson(experiment) });
  });

  routes.get("/get-by-name", (c) => {
    const { experiment_name: name } = readQuery(c, v.object({ experiment_name: v.string() }));
    const experiment = store.experimentByName(name);
    if (!experiment) throw missing(`Could not find experiment with name '${name}'`);
    return c.json({ experiment: experimentJson(experiment) });
  });

  return routes;
}

const search = v.object({
  max_results: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50_000)),
  filter: v.optional(v.string(), ""),
  order_by: v.optional(v.array(v.string()), []),
  view_type: v.optional(v.string(), "ACTIVE_ONLY"),
  page_token: v.optional(v.string()),
});

const keys: Readonly<Record<string, Key<StoredExperiment>>> = {
  // Numbers in MLflow's SQL stores, so "10" comes after "9".
  experiment_id: ({ id }) => Number(id),
  name: ({ name }) => name,
  creation_time: ({ created }) => created,
  last_update_time: ({ created }) => created,
};

function nameFilter(filter: string): (experiment: StoredExperiment) => boolean {
  if (filter.trim() === "") return () => true;
  const name = /^\s*(?:attribute\.)?name\s*=\s*'((?:[^']|'')*)'\s*$/.exec(filter)?.[1];
  if (name === undefined) throw invalid(`Invalid clause(s) in filter string: '${filter}'`);
  return (experiment) => experiment.name === name.replaceAll("''", "'");
}
