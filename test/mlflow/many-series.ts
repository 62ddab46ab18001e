import { type LocalServer, localServer, type Seen } from "./proxy.ts";

/** A scripted MLflow whose one experiment holds the given runs, and which may refuse some requests. */
export interface ScriptedStore extends LocalServer {
  readonly runs: ScriptedRun[];
  /** The status and body to refuse a request with, or nothing. */
  refuse: (request: Seen) => readonly [status: number, body: unknown] | undefined;
}

export interface ScriptedRun {
  readonly id: string;
  status: "RUNNING" | "FINISHED";
  endTime?: number;
  /** Points by key, in the order of `get-history`; the last one counts as the latest. */
  readonly series: Record<string, ScriptedPoint[]>;
}

export interface ScriptedPoint {
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

/** As many points of rising steps and times. */
export function rising(count: number): ScriptedPoint[] {
  return Array.from({ length: count }, (_, i) => ({ value: i, timestamp: 1000 + i, step: i }));
}

/** Starts it; it understands the filters that the source sends. */
export async function scriptedStore(runs: ScriptedRun[]): Promise<ScriptedStore> {
  const server = await localServer((request, response) => {
    const refused = store.refuse(request);
    const [status, body] = refused ?? answer(runs, request);
    const type = typeof body === "string" ? "text/plain" : "application/json";
    response.writeHead(status, { "content-type": type }).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  const store: ScriptedStore = { ...server, runs, refuse: () => undefined };
  return store;
}

function answer(runs: readonly ScriptedRun[], { path, body }: Seen): readonly [status: number, body: unknown] {
  const url = new URL(path, "http://x");
  if (url.pathname.endsWith("/experiments/search")) return [200, { experiments: [{ experiment_id: "1", name: "e" }] }];
  if (url.pathname.endsWith("/runs/search")) {
    const filter = String(JSON.parse(body).filter ?? "");
    return [200, { runs: runs.filter((run) => isFound(run, filter)).map(described) }];
  }
  if (!url.pathname.endsWith("/get-history")) return [404, "Not Found"];
  const { run_id, metric_key = "", page_token, max_results } = Object.fromEntries(url.searchParams);
  const list = runs.find(({ id }) => id === run_id)?.series[metric_key] ?? [];
  const from = page_token ? Number(JSON.parse(atob(page_token)).offset) : 0;
  const to = from + Number(max_results);
  return [
    200,
    {
      metrics: list.slice(from, to).map((point) => ({ key: metric_key, ...point })),
      ...(to < list.length && { next_page_token: btoa(`{"offset": ${to}}`) }),
    },
  ];
}

function isFound({ id, status, endTime }: ScriptedRun, filter: string): boolean {
  if (filter.includes("status")) return status === "RUNNING";
  if (filter.includes("run_id IN")) return filter.includes(`'${id}'`);
  const [, since, until] = /end_time >= (\d+) AND attributes.end_time <= (\d+)/.exec(filter) ?? [];
  if (since === undefined) return filter === "";
  return endTime !== undefined && endTime >= Number(since) && endTime <= Number(until);
}

function described({ id, status, endTime, series }: ScriptedRun) {
  const metrics = Object.entries(series).flatMap(([key, list]) => {
    const latest = list.at(-1);
    return latest ? [{ key, ...latest }] : [];
  });
  return {
    info: { run_id: id, experiment_id: "1", status, start_time: 1, ...(endTime && { end_time: endTime }) },
    data: { metrics },
  };
}
