import { judgeSize } from "../../src/journal/journal-size.ts";
import type { SinkReport, SourceReport, Status } from "../../src/server/status.ts";

export const now = 1_700_000_000_000;

/** A status in which all is well; `change` replaces parts. */
export function makeStatus(change: Partial<Status> = {}): Status {
  return {
    version: "0.1.0",
    startedAt: now - 3_600_000,
    now,
    config: "mlmon.config.ts",
    reload: { successful: true, lastSuccess: now - 3_600_000, lastError: undefined },
    notReady: [],
    warnings: [],
    brief: { notReady: [], warnings: [] },
    sources: [makeSource()],
    sinks: [makeSink()],
    journal: judgeSize({
      bytes: 1_500_000,
      maxBytes: 1024 ** 3,
      ageMs: 60_000,
      maxAgeMs: 30 * 86_400_000,
      freeBytes: 100 * 1024 ** 3,
      reserveBytes: 64 * 1024 ** 2,
    }),
    view: { series: 1234, runs: 12, max: 100_000, refused: new Map() },
    entries: [
      { part: "view", of: "runs", count: 12, max: 25_000 },
      { part: "source/mlflow", of: "state", count: 34 },
    ],
    ledgerMismatches: [],
    ledger: [
      { scope: "source", id: "mlflow", name: "read", reason: "", count: 12_345 },
      { scope: "transform", id: "filter", name: "filtered", reason: "", count: 45 },
      { scope: "sink", id: "pramathus", name: "delivered", reason: "", count: 12_000 },
    ],
    ...change,
  };
}

export function makeSource(change: Partial<SourceReport> = {}): SourceReport {
  return {
    id: "mlflow",
    type: "mlflow",
    place: undefined,
    state: "ok",
    lastSuccess: now - 5000,
    lastError: undefined,
    intervalMs: 60_000,
    progress: undefined,
    experiments: 3,
    runs: 24,
    ...change,
  };
}

export function makeSink(change: Partial<SinkReport> = {}): SinkReport {
  return {
    id: "pramathus",
    type: "pramathus",
    consumes: "points",
    pulled: false,
    state: "idle",
    lastSuccess: now - 4000,
    lastError: undefined,
    place: undefined,
    requests: { delivered: 120, retry: 0, rejected: 0, paused: 0, split: 0 },
    requestMs: 1500,
    waiting: 0,
    lagSeconds: 0,
    delivered: 12_000,
    dropped: 0,
    deadLetters: {},
    ...change,
  };
}
