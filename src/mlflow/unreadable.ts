import type { SeriesName } from "./known.ts";
import { MlflowError } from "./mlflow-error.ts";

/**
 * Series that MLflow refused to give out, though it answers everything else: forbidden, gone, or broken in its store.
 * Each is tried again at the next poll, then ever more seldom, up to once in ten minutes. One per source.
 */
export interface Unreadable {
  /** Whether this failure concerns the one series only; then it waits for its next try. Else the server is the trouble. */
  takes(series: SeriesName, error: unknown): error is MlflowError;
  /** Whether a failure was the first since the series could last be read: the one that the log names. */
  isFirst(series: SeriesName): boolean;
  /** The series was read to its end. */
  wasRead(series: SeriesName): void;
  isWaiting(series: SeriesName): boolean;
  /** Whether the run has such series at all. */
  has(run: string): boolean;
  /** Whether it has some, and the time for none of them has come. */
  isRunWaiting(run: string): boolean;
  /** The run is gone. */
  forget(run: string): void;
  /** How many series there are, and may be. */
  fill(): { readonly count: number; readonly max: number };
}

/** Makes one. `steady` is a clock in ms that nobody sets; the oldest runs make room when there are too many series. */
export function createUnreadable(intervalMs: number, steady: () => number, maxSeries = 10_000): Unreadable {
  const runs = new Map<string, Map<string, Failing>>();
  let size = 0;
  let doubtful = 0;

  function forget(run: string): void {
    size -= runs.get(run)?.size ?? 0;
    runs.delete(run);
  }

  return {
    takes({ run, key }, error): error is MlflowError {
      if (!(error instanceof MlflowError)) return false;
      if (error.trouble !== "gone" && error.trouble !== "permission") {
        if (error.trouble !== "invalid" && error.status !== 500) return false;
        if (!runs.get(run)?.has(key) && doubtful++ === maxDoubtful) {
          // So many join at each attempt that a few readable ones are found in the end.
          doubtful = 0;
          return false;
        }
      }
      const keys = runs.get(run) ?? new Map<string, Failing>();
      runs.set(run, keys);
      const failures = (keys.get(key)?.failures ?? 0) + 1;
      if (failures === 1) size += 1;
      // Half an interval less, so that the poll that is due then finds it due.
      const waitMs = Math.min((2 ** (failures - 1) - 0.5) * intervalMs, longestMs);
      keys.set(key, { failures, due: steady() + waitMs });
      for (const [oldest] of runs) {
        if (size <= maxSeries || oldest === run) break;
        forget(oldest);
      }
      return true;
    },
    isFirst: ({ run, key }) => runs.get(run)?.get(key)?.failures === 1,
    wasRead({ run, key }) {
      doubtful = 0;
      const keys = runs.get(run);
      if (!keys?.delete(key)) return;
      size -= 1;
      if (keys.size === 0) runs.delete(run);
    },
    isWaiting({ run, key }) {
      const failing = runs.get(run)?.get(key);
      return failing !== undefined && failing.due > steady();
    },
    has: (run) => runs.has(run),
    isRunWaiting(run) {
      const keys = runs.get(run);
      return keys !== undefined && [...keys.values()].every(({ due }) => due > steady());
    },
    forget,
    fill: () => ({ count: size, max: maxSeries }),
  };
}

interface Failing {
  readonly failures: number;
  /** By the steady clock. */
  readonly due: number;
}

const longestMs = 600_000;

/** A 400 or 500 may be about one series or about all: so many in a row, without one that can be read, are about all. */
const maxDoubtful = 5;
