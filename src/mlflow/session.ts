import type { SourceContext } from "../model/context.ts";
import type { Experiment } from "../model/run.ts";
import { createBulkReader } from "./bulk.ts";
import { type Client, createClient, type Exchange } from "./client.ts";
import type { Collector } from "./collector.ts";
import { connect } from "./connect.ts";
import { contactTime } from "./contact-time.ts";
import { loadCounts } from "./counts.ts";
import { createDraft, type Draft } from "./draft.ts";
import { type ExperimentMemory, experimentMemory, nextExperiments } from "./experiments.ts";
import { createHistoryPages } from "./history-page.ts";
import type { MlflowOptions } from "./options.ts";
import type { Unreadable } from "./unreadable.ts";

/** One connection to a server and all that reading it needs; made anew after the server was away. */
export interface Session {
  readonly client: Client;
  readonly collector: Collector;
  readonly ctx: SourceContext;
  readonly options: MlflowOptions;
  readonly limits: Limits;
  /** What is read, by id; refreshed now and then. */
  experiments: ReadonlyMap<string, Experiment>;
  readonly known: ExperimentMemory;
  /** Ids of experiments that may come next, to be searched beside those that are read. */
  nextExperiments(): readonly string[];
  draft(): Draft;
  /** Unix ms by the server's clock where it is known: ends and marks are compared with it. */
  serverNow(): number;
  /** Stops what is still being asked for; called once. */
  end(): void;
}

/** Sizes and times that users need not know; tests make them small. */
export interface Limits {
  /** Points a page of history. */
  readonly pageSize: number;
  /** Samples a batch. */
  readonly batchSize: number;
  /** Time after its end in which a run is looked at again, and by which searches for ended runs overlap. */
  readonly graceMs: number;
  /** Time between two readings of the list of experiments. */
  readonly experimentsMs: number;
  /** Time between two readings of the model registry. */
  readonly modelsMs: number;
  /** Least time between two steps of the sweep. */
  readonly sweepMs: number;
  /** A step of the sweep that took a time is followed by a pause of this many times that: 50 is 2 %. */
  readonly sweepPause: number;
  /** How often a passing failure is tried, and the first wait. */
  readonly attempts: number;
  readonly backoffMs: number;
  /** How long the first answer may take. */
  readonly contactMs: number;
  /** After which time without an answer a warning is logged. */
  readonly slowMs: number;
}

/** The limits that follow from the options. */
export function defaultLimits({ interval, timeout }: MlflowOptions, once: boolean): Limits {
  return {
    pageSize: 10_000,
    batchSize: 10_000,
    graceMs: 600_000,
    experimentsMs: clamp(10 * interval, 5000, 60_000),
    modelsMs: clamp(10 * interval, 5000, 180_000),
    sweepMs: clamp(interval / 4, 1000, 30_000),
    sweepPause: 50,
    attempts: once ? 6 : 3,
    backoffMs: 250,
    contactMs: contactTime({ timeout }),
    slowMs: 15_000,
  };
}

/** Connects to the server. Throws `MlflowError` when it is away. */
export async function openSession(
  options: MlflowOptions,
  ctx: SourceContext,
  limits: Limits,
  unreadable: Unreadable,
): Promise<Session> {
  const { log, state } = ctx;
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const onSlow = () => log.warn("MLflow takes long to answer, which is waited for", { server: client.server });
  const onRequest = (exchange: Exchange) => log.debug("MLflow was asked", { ...exchange });
  const client = createClient(options, { signal, onSlow, onRequest, ...limits });
  const { store } = await connect(client, options.workspace, log);
  const counts = loadCounts(state);
  const serverNow = () => client.serverTime() ?? ctx.now();
  const ignored = () =>
    log.warn("MLflow ignores page tokens, so each change of a series reads it whole: a newer MLflow is cheaper");
  const collector: Collector = {
    state,
    counts,
    pages: createHistoryPages(client, limits.pageSize, ignored),
    bulk: createBulkReader(client, options.concurrency),
    bulkInOrder: store === "SqlStore",
    unreadable,
    include: options.include ?? (ctx.consumes === "latest" ? "latest" : "history"),
    concurrency: options.concurrency,
    graceUntil(endTime) {
      const now = serverNow();
      return endTime !== undefined && endTime < now - limits.graceMs ? undefined : now + limits.graceMs;
    },
    log,
  };
  const known = experimentMemory();
  const session: Session = {
    client,
    collector,
    ctx,
    options,
    limits,
    experiments: new Map(),
    known,
    nextExperiments: () => (store === "SqlStore" ? nextExperiments(known, session.experiments.size) : []),
    draft: () => createDraft(state, counts, ctx.now, limits.batchSize),
    serverNow,
    end: () => over.abort(),
  };
  return session;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
