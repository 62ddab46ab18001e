import type { Problem } from "../model/inspection.ts";
import { silentLog } from "../model/log.ts";
import { workspacesAnswer } from "./answers.ts";
import { authorizationOf, schemeOf } from "./authorization.ts";
import { type Client, createClient } from "./client.ts";
import { connect } from "./connect.ts";
import { contactTime } from "./contact-time.ts";
import { chooseExperiments, experimentMemory } from "./experiments.ts";
import { MlflowError } from "./mlflow-error.ts";
import type { MlflowOptions } from "./options.ts";
import { searchRuns } from "./runs.ts";
import { readRun } from "./seen-run.ts";

/** What a server holds for these options, and what a human should mend. */
export interface MlflowReport {
  /** The address without user part and query. */
  readonly server: string;
  readonly version: string | undefined;
  /** `"SqlStore"`, `"FileStore"`, or nothing before 3.10. */
  readonly store: string | undefined;
  /** The names of all workspaces that can be seen; empty where there are none. */
  readonly workspaces: readonly string[];
  /** What the source would read; nothing when it cannot be found out, and then neither can the source. */
  readonly found: Found | undefined;
  /** Time of one search, ms. */
  readonly latencyMs: number | undefined;
  /** The server's clock minus this one's, ms, exact to a second where the server answers at once. */
  readonly clockSkewMs: number | undefined;
  readonly problems: readonly Problem[];
}

/** What the source would read. */
export interface Found {
  readonly experiments: number;
  readonly runs: number;
  readonly series: number;
  /** Whether all were counted; else there are more. */
  readonly isAll: boolean;
}

/**
 * Walks through a server as the source would, without reading history; for `mlmon doctor`. `countMs` is how long runs
 * are counted at most. Never throws `MlflowError`.
 */
export async function inspectMlflow(
  options: MlflowOptions,
  signal?: AbortSignal,
  countMs: number = maxWaitMs,
): Promise<MlflowReport> {
  const patient = { ...options, timeout: Math.min(options.timeout, maxWaitMs) };
  const client = createClient(patient, { attempts: 2, contactMs: contactTime(options), ...(signal && { signal }) });
  const problems: Problem[] = [];
  // The source cannot do without what is tried here.
  const attempt = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof MlflowError)) throw error;
      const problem = { message: error.what, mend: error.mend, fatal: true };
      problems.push(problem);
      return undefined;
    }
  };
  const advise = (message: string, mend: string) => problems.push({ message, mend, fatal: false });
  // Without the workspace first: what a server is and has can be told where that one is wrong.
  const info = await attempt(() => connect(client, undefined, silentLog));
  const version = info && (await optional(() => client.text("/version")))?.trim();
  const healthMs = info && (await time(() => optional(() => client.text("/health"))));
  // By an answer that takes no time to make: a date is that of its beginning.
  const serverTime = client.serverTime();
  const clockSkewMs = serverTime === undefined ? undefined : serverTime + midSecondMs - Date.now();
  const workspaces = (info?.workspaces && (await optional(() => listWorkspaces(client)))) || [];
  if (info?.workspaces && options.workspace !== undefined) client.useWorkspace(options.workspace);
  let latencyMs: number | undefined;
  const found =
    info &&
    (await attempt(async () => {
      const search = () => time(() => chooseExperiments(client, {}, experimentMemory()));
      // The first one may have to wake the server up.
      latencyMs = Math.min(await search(), await search());
      return count(client, options, performance.now() + countMs);
    }));

  if (problems.length === 0 && found?.experiments === 0) {
    advise(
      "No experiment can be seen",
      "check the rights of the user, the workspace, and the options experiments and tags",
    );
  }
  if (info && options.workspace !== undefined && !info.workspaces) {
    advise(`The server has no workspaces, "${options.workspace}" is ignored`, "unset workspace");
  }
  const hashes = schemeOf(authorizationOf(options, new URL(options.trackingUri))) === "Basic";
  if (hashes && latencyMs !== undefined && healthMs !== undefined && latencyMs > 200 && latencyMs > 5 * healthMs) {
    advise(
      `Each request takes ${Math.round(latencyMs)} ms, as the server hashes the password each time`,
      "set auth_cache_ttl_seconds = 60 in the server's auth configuration",
    );
  }
  if (clockSkewMs !== undefined && Math.abs(clockSkewMs) > 30_000) {
    advise(`The server's clock is ${inWords(clockSkewMs)} this machine's`, "let both machines keep their time by NTP");
  }
  if (version && /^([12]\.|3\.0\.|3\.1\.0)/.test(version)) {
    advise(
      `MLflow ${version} gives out histories only whole, so each new point of a series reads all of it`,
      "update MLflow to 3.2 or later",
    );
  }
  return {
    server: client.server,
    version,
    store: info?.store,
    workspaces,
    found,
    latencyMs,
    clockSkewMs,
    problems,
  };
}

/** A server tells its time in whole seconds, and uvicorn makes the text of it only once a second. */
const midSecondMs = 1000;

/** `12 s ahead of` */
export function inWords(skewMs: number): string {
  return `${Math.abs(Math.round(skewMs / 1000))} s ${skewMs < 0 ? "behind" : "ahead of"}`;
}

/** Nobody at a terminal waits longer for one answer, or for a count. */
const maxWaitMs = 15_000;

async function count(client: Client, options: MlflowOptions, until: number): Promise<Found> {
  const experiments = await chooseExperiments(client, options, experimentMemory());
  const runs = new Set<string>();
  let series = 0;
  let isAll = true;
  for await (const page of searchRuns(client, { experiments: [...experiments.keys()], pageSize: 100 })) {
    isAll = runs.size === 0 || performance.now() < until;
    if (!isAll) break;
    for (const answer of page) {
      if (runs.has(answer.info.run_id)) continue;
      runs.add(answer.info.run_id);
      series += readRun(answer, experiments, options.systemMetrics).latest.length;
    }
  }
  return { experiments: experiments.size, runs: runs.size, series, isAll };
}

async function listWorkspaces(client: Client): Promise<string[]> {
  const { workspaces } = await client.get("/api/3.0/mlflow/workspaces", [], workspacesAnswer);
  return workspaces.map(({ name }) => name);
}

/** `/version` asks for a login on some servers, and proxies may hide both. */
async function optional<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof MlflowError) return undefined;
    throw error;
  }
}

async function time(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await call();
  return performance.now() - started;
}
