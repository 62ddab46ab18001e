import { Hono } from "hono";
import * as v from "valibot";
import { pageOf, pointJson, Refusal, readQuery } from "./answers.ts";
import { experimentRoutes } from "./experiment-routes.ts";
import { runRoutes } from "./run-routes.ts";
import type { DemoStore } from "./store.ts";

/**
 * Speaks as much of MLflow's REST API as mlmon asks for, in the shapes of MLflow 3.17 on SQLite; a test holds each
 * conversation with the real one, too. It knows no users, an empty registry, and no step or time beyond 2⁵³. The pages'
 * own endpoints such as `get-history-bulk` are absent, as they are behind many proxies.
 */
export function createMlflowApp(store: DemoStore): Hono {
  const app = new Hono();
  app.get("/", (c) => c.text(whatThisIs));
  app.get("/health", (c) => c.text("OK"));
  app.get("/version", (c) => c.html("3.17.2"));
  app.get("/api/3.0/mlflow/server-info", (c) => c.json({ store_type: "SqlStore", workspaces_enabled: false }));
  app.route(`${api}/experiments`, experimentRoutes(store));
  app.route(`${api}/runs`, runRoutes(store));
  app.get(`${api}/metrics/get-history`, (c) => {
    const asked = readQuery(c, history);
    const points = store.runs.get(asked.run_id)?.metrics.get(asked.metric_key)?.points ?? [];
    const page = { name: "metrics", size: asked.max_results, token: asked.page_token };
    return c.json(pageOf(points.map(pointJson), page));
  });
  app.get(`${api}/registered-models/search`, (c) => c.json({}));
  app.get(`${api}/model-versions/search`, (c) => c.json({}));

  app.onError((error, c) => {
    if (!(error instanceof Refusal)) return c.html(page("500 Internal Server Error"), 500);
    return c.json({ error_code: error.code, message: error.message }, error.status);
  });
  app.notFound((c) => {
    const isKnown = app.routes.some(({ path }) => path === c.req.path);
    return isKnown ? c.html(page("405 Method Not Allowed"), 405) : c.html(page("404 Not Found"), 404);
  });
  return app;
}

const api = "/api/2.0/mlflow";

const count = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), v.minValue(1));
const history = v.object({
  run_id: v.string(),
  metric_key: v.string(),
  max_results: v.optional(count),
  page_token: v.optional(v.string()),
});

/** Where the real one has its pages. */
const whatThisIs =
  "A simulated MLflow for the demonstration of mlmon: it has no pages, only as much of MLflow's REST API as mlmon reads, " +
  `such as /version and ${api}/experiments/get?experiment_id=0\n`;

/** Routes that do not exist are answered by MLflow's web framework, not in JSON. */
function page(title: string): string {
  return `<!doctype html>\n<html lang=en>\n<title>${title}</title>\n<h1>${title.slice(4)}</h1>\n`;
}
