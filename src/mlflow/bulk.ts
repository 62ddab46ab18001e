import * as v from "valibot";
import type { Client } from "./client.ts";
import type { SeriesName } from "./known.ts";
import { MlflowError } from "./mlflow-error.ts";
import { type Point, readPoint, samePoint } from "./points.ts";

/**
 * Reads whole series of many runs at once by the endpoint of MLflow's own pages, a sixth of the cost of `get-history`
 * (mlflow.md § 4). Wherever it is missing or incomplete the exact reader takes over.
 */
export interface BulkReader {
  /** Starts to read these series, each with its latest point; at most `maxHeld` points are held at a time. */
  start(series: readonly BulkSeries[]): BulkWindow;
}

/** A series that is to be read, with its latest point by `runs/search`. */
export interface BulkSeries extends SeriesName {
  readonly latest: Point;
}

/** Series that are read together. */
export interface BulkWindow {
  /** The whole series sorted by time, step and value, or nothing when it must be read by `get-history`. Hands each out once. */
  take(series: SeriesName): Promise<readonly Point[] | undefined>;
}

/** Makes a reader; one per client. `limits` differ in tests only. */
export function createBulkReader(client: Client, workers: number, limits = bulkLimits): BulkReader {
  let missing = false;

  async function readKey(key: string, series: readonly BulkSeries[], window: Window): Promise<void> {
    let left = [...series].sort((a, b) => (a.run < b.run ? -1 : 1));
    while (left.length > 1 && !missing && window.held < limits.held) {
      const asked = left.slice(0, Math.min(limits.runs, runsInUrl(key)));
      const rows = await ask(key, asked);
      if (!rows) return;
      // A cut answer ends within a run; rows come run by run in the order of their ids.
      const cutRun = rows.length >= limits.rows ? rows.at(-1)?.run : undefined;
      const byRun = Map.groupBy(rows, ({ run }) => run);
      const stop = cutRun === undefined ? asked.length : asked.findIndex(({ run }) => run === cutRun);
      if (stop < 0) return;
      for (const { run, latest } of asked.slice(0, stop)) {
        const points = byRun.get(run)?.map(({ point }) => point);
        if (!points?.some((point) => samePoint(point, latest))) continue;
        window.series.set(nameOf({ run, key }), points);
        window.held += points.length;
      }
      // A run that fills an answer alone is read page by page.
      left = left.slice(stop === 0 ? 1 : stop);
    }
  }

  async function ask(key: string, series: readonly BulkSeries[]): Promise<BulkRow[] | undefined> {
    const runs = series.map(({ run }) => ["run_id", run] as const);
    const query = [...runs, ["metric_key", key], ["max_results", String(limits.rows)]] as const;
    try {
      const { metrics } = await client.get("/ajax-api/2.0/mlflow/metrics/get-history-bulk", query, bulkAnswer);
      return metrics;
    } catch (error) {
      if (!(error instanceof MlflowError) || error.trouble === "auth") throw error;
      if (error.trouble === "transient" && error.status !== 500) throw error;
      // One series that is forbidden, gone or broken says nothing of the others: only its group is read singly.
      if (!ofOne.has(error.trouble)) missing = true;
      return undefined;
    }
  }

  return {
    start(series) {
      const window: Window = { held: 0, series: new Map() };
      const keys = [...Map.groupBy(series, ({ key }) => key)].filter(([, group]) => group.length > 1);
      const queue = keys[Symbol.iterator]();
      const work = async () => {
        for (const [key, group] of queue) await readKey(key, group, window);
      };
      const done = Promise.all(Array.from({ length: workers }, work));
      // The failure is told by `take`; a window that is thrown away must not end the process.
      done.catch(() => undefined);
      return {
        async take(name) {
          await done;
          const points = window.series.get(nameOf(name));
          window.series.delete(nameOf(name));
          return points;
        },
      };
    },
  };
}

/** 100 runs and 25 000 rows are MLflow's own caps. */
export const bulkLimits = { runs: 100, rows: 25_000, held: 400_000 };

const ofOne: ReadonlySet<string> = new Set(["permission", "gone", "invalid", "transient"]);

interface Window {
  held: number;
  readonly series: Map<string, readonly Point[]>;
}

interface BulkRow {
  readonly run: string;
  readonly point: Point;
}

const bulkAnswer = v.object({
  metrics: v.pipe(
    v.optional(v.array(v.unknown()), []),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const rows: BulkRow[] = [];
      for (const row of dataset.value) {
        const point = readPoint(row);
        const run = typeof row === "object" && row !== null && "run_id" in row ? row.run_id : undefined;
        if (!point || typeof run !== "string") {
          addIssue({ message: "a metric without run, value, timestamp or step" });
          return NEVER;
        }
        rows.push({ run, point });
      }
      return rows;
    }),
  ),
});

/** How many ids fit with a key into the 4094 bytes that gunicorn takes, with some left for the path of a proxy. */
function runsInUrl(key: string): number {
  const aRun = "&run_id=".length + 32;
  return Math.max(2, Math.floor((3800 - encodeURIComponent(key).length) / aRun));
}

function nameOf({ run, key }: SeriesName): string {
  return `${run}/${key}`;
}
