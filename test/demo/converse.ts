import type { Exchange } from "./comparable.ts";

const api = "/api/2.0/mlflow";
const live = "attributes.status != 'FINISHED' AND attributes.status != 'FAILED' AND attributes.status != 'KILLED'";

/** Makes an experiment and its runs on a server, and asks it all that the source and the writer ask, and worse. */
export async function converse(base: string, name: string): Promise<readonly Exchange[]> {
  const ids: string[] = [];
  const exchanges: Exchange[] = [];

  async function ask(method: string, path: string, body?: object): Promise<unknown> {
    const json = body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(`${base}${path}`, { method, ...json });
    const [type = ""] = (answer.headers.get("content-type") ?? "").split(";");
    const text = await answer.text();
    const parsed: unknown = type === "application/json" ? JSON.parse(text) : text;
    exchanges.push({
      said: `${method} ${path} ${JSON.stringify(body)}`,
      status: answer.status,
      type,
      body: parsed,
      ids,
    });
    return parsed;
  }
  const post = (path: string, body: object) => ask("POST", `${api}/${path}`, body);
  const get = (path: string, query: Record<string, string> = {}) =>
    ask("GET", `${api}/${path}?${new URLSearchParams(query)}`);
  async function create(body: object): Promise<string> {
    const made = await post("runs/create", { experiment_id: ids[0], ...body });
    const id = String(field(field(field(made, "run"), "info"), "run_id"));
    ids.push(id);
    return id;
  }

  await ask("GET", "/health");
  await ask("GET", "/version");
  await ask("GET", "/api/3.0/mlflow/server-info");
  await ask("GET", `${api}/nothing`);
  await ask("GET", `${api}/runs/search`);

  ids.push(String(field(await post("experiments/create", { name }), "experiment_id")));
  await post("experiments/create", { name });
  await post("experiments/create", {});
  await get("experiments/get", { experiment_id: ids[0] ?? "" });
  await get("experiments/get", { experiment_id: "987654321" });
  await get("experiments/get-by-name", { experiment_name: name });
  await get("experiments/get-by-name", { experiment_name: "there is none" });
  await post("experiments/search", {});
  await post("experiments/search", { max_results: 10, filter: `name = '${name}'`, view_type: "ACTIVE_ONLY" });
  await post("experiments/search", { max_results: 10, filter: `name = '${name}'`, view_type: "DELETED_ONLY" });
  await post("experiments/search", { max_results: 1, order_by: ["experiment_id"] });
  await post("experiments/search", { max_results: 1, order_by: ["nonsense"] });

  const one = await create({ run_name: "one", start_time: 1000, tags: [{ key: "t", value: "ä" }] });
  const two = await create({ run_name: "two", start_time: 2000 });
  const three = await create({ run_name: "three" });
  await post("runs/create", { experiment_id: "987654321", start_time: 1 });

  const point = (key: string, value: number | string, timestamp: number, step?: number) => ({
    ...{ key, value, timestamp },
    ...(step !== undefined && { step }),
  });
  const steps = [3, 1, 2].map((step) => point("a/b c", step / 3, 5000 + step, step));
  await post("runs/log-batch", { run_id: one, metrics: steps, params: [{ key: "p", value: "0.1" }] });
  await post("runs/log-batch", {
    run_id: one,
    metrics: [point("back", 1, 9000, 5), point("back", 2, 9001, 4)],
  });
  await post("runs/log-batch", {
    run_id: one,
    metrics: [7, 9, 8, 8].map((value) => point("tie", value, 6000, -1)),
  });
  const odd = [point("odd", "NaN", 4, 1), point("odd", -1, 4, 1), point("odd", "-Infinity", 4, 1)];
  await post("runs/log-batch", { run_id: one, metrics: [...odd, point("odd", "Infinity", 3, 1)] });
  await post("runs/log-batch", { run_id: one, metrics: [point("zero", 0, 4)] });
  await post("runs/log-batch", { run_id: one, params: [{ key: "p", value: "0.2" }] });
  await post("runs/log-batch", {
    run_id: one,
    metrics: Array.from({ length: 1001 }, (_, step) => point("x", 1, 1, step)),
  });
  await post("runs/log-batch", { run_id: one, metrics: [{ key: "x", timestamp: 1 }] });
  await post("runs/log-batch", { run_id: "none" });
  await post("runs/log-batch", { metrics: [] });
  await post("runs/set-tag", { run_id: one, key: "mlflow.model.stage", value: "Staging" });
  await post("runs/set-tag", { run_id: one, key: "mlflow.runName", value: "first" });
  await post("runs/set-tag", { run_id: "none", key: "k", value: "v" });
  await post("runs/update", { run_id: two, status: "FINISHED", end_time: 9000 });
  await post("runs/update", { run_id: three, status: "NONSENSE", run_name: "third" });
  await post("runs/update", { run_id: "none", status: "FAILED" });
  await get("runs/get", { run_id: one });
  await get("runs/get", { run_id: "none" });

  const search = { experiment_ids: [ids[0]], order_by: ["attributes.start_time ASC"], max_results: 1000 };
  const filters = [
    live,
    "attributes.end_time >= 9000",
    "attributes.end_time >= 9001",
    `attributes.run_id IN ('${two}','none')`,
    "status = 'RUNNING' and start_time > 0",
    'run_name = "third"',
    "end_time != 5",
    "status = 'RUNNING' OR status = 'FAILED'",
    "attributes.status IN ('RUNNING')",
    "attributes.run_id IN ()",
    "start_time >= 'x'",
    "attributes.nonsense = 'x'",
    "garbage",
  ];
  await post("runs/search", search);
  for (const filter of filters) await post("runs/search", { ...search, filter });
  await post("runs/search", { experiment_ids: search.experiment_ids });
  await post("runs/search", { experiment_ids: [] });
  await post("runs/search", { ...search, order_by: ["attributes.start_time DESC"] });
  await post("runs/search", { ...search, order_by: ["end_time DESC"] });
  await post("runs/search", { ...search, order_by: ["nonsense"] });
  await post("runs/search", { ...search, max_results: 0 });
  await post("runs/search", { ...search, page_token: "nonsense" });
  for (const size of [1, 2, 3]) {
    await post("runs/search", { ...search, max_results: size });
    await post("runs/search", { ...search, max_results: size, page_token: btoa('{"offset": 1}') });
  }

  for (const key of ["a/b c", "back", "tie", "odd", "zero", "none"]) {
    await get("metrics/get-history", { run_id: one, metric_key: key, max_results: "10" });
  }
  const history = { run_id: one, metric_key: "a/b c" };
  await get("metrics/get-history", history);
  for (const size of ["0", "1", "2", "3"]) await get("metrics/get-history", { ...history, max_results: size });
  for (const offset of [0, 1, 2, 3, 9]) {
    const token = btoa(`{"offset": ${offset}}`);
    await get("metrics/get-history", { ...history, max_results: "2", page_token: token });
  }
  await get("metrics/get-history", { ...history, max_results: "2", page_token: "nonsense" });
  await get("metrics/get-history", { run_id: "none", metric_key: "a", max_results: "2" });
  await get("metrics/get-history", { run_id: one });

  await post("runs/delete", { run_id: one });
  await post("runs/delete", { run_id: "none" });
  await post("runs/log-batch", { run_id: one, metrics: [point("late", 1, 1, 1)] });
  await post("runs/set-tag", { run_id: one, key: "k", value: "v" });
  await post("runs/update", { run_id: one, status: "FAILED" });
  await get("runs/get", { run_id: one });
  await get("metrics/get-history", { ...history, max_results: "10" });
  for (const view of ["ACTIVE_ONLY", "DELETED_ONLY", "ALL"])
    await post("runs/search", { ...search, run_view_type: view });
  await post("runs/restore", { run_id: one });
  await post("runs/restore", { run_id: "none" });
  await post("runs/search", search);
  await get("registered-models/search", { max_results: "1000", filter: "name = 'there is none'" });
  await get("model-versions/search", { max_results: "1000", filter: "name = 'there is none'" });
  return exchanges;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
