import type { State } from "../model/state.ts";
import { hashPoint, type Point } from "./points.ts";

/**
 * Remembers which points of a series were emitted, as hashes of 8 bytes in chunks: `known/<run>/<key>/<chunk>`. They
 * are only read when points turn up before those already read (mlflow.md § 5), and are kept while the run exists.
 */
export function appendKnown(state: State, series: SeriesName, count: number, points: readonly Point[]): void {
  for (let done = 0; done < points.length; ) {
    const total = count + done;
    const name = chunkName(series, Math.floor(total / chunkSize));
    const used = total % chunkSize;
    const take = Math.min(chunkSize - used, points.length - done);
    const chunk = new Uint32Array(2 * (used + take));
    if (used > 0) chunk.set(readChunk(state, name).subarray(0, 2 * used));
    for (let i = 0; i < take; i++) {
      const point = points[done + i];
      if (point) hashPoint(point, chunk, used + i);
    }
    state.set(name, new Uint8Array(chunk.buffer));
    done += take;
  }
}

/** A series by its run's id and its metric key. */
export interface SeriesName {
  readonly run: string;
  readonly key: string;
}

/** The points of one series that were emitted, each as often as it was. */
export interface Known {
  /** Says whether a point is among them, and counts it as met. */
  meet(point: Point): boolean;
}

/** Loads what is known of a series; 8 bytes a point, only while the series is compared. */
export function loadKnown(state: State, series: SeriesName, count: number): Known {
  const loaded = new Uint32Array(2 * count);
  for (let chunk = 0; chunk * chunkSize < count; chunk++) {
    const at = chunk * chunkSize;
    const part = readChunk(state, chunkName(series, chunk)).subarray(0, 2 * Math.min(chunkSize, count - at));
    loaded.set(part, 2 * at);
  }
  const sorted = new BigUint64Array(loaded.buffer).sort();
  const met = new Uint8Array(count);
  const scratch = new Uint32Array(2);
  const hash = new BigUint64Array(scratch.buffer);

  return {
    meet(point) {
      hashPoint(point, scratch, 0);
      const wanted = hash[0] ?? 0n;
      for (let i = lowerBound(sorted, wanted); sorted[i] === wanted; i++) {
        if (met[i]) continue;
        met[i] = 1;
        return true;
      }
      return false;
    },
  };
}

/** Forgets a series of which `count` points were emitted; by name, as a scan for each of 1000 runs takes a second. */
export function forgetKnown(state: State, series: SeriesName, count: number): void {
  for (let chunk = 0; chunk * chunkSize < count; chunk++) state.delete(chunkName(series, chunk));
}

const chunkSize = 256;

/** Keys may hold slashes, which must not look like a chunk's number. */
function chunkName({ run, key }: SeriesName, chunk: number): string {
  return `known/${run}/${encodeURIComponent(key.toWellFormed())}/${String(chunk).padStart(8, "0")}`;
}

function readChunk(state: State, name: string): Uint32Array {
  const bytes = state.get(name);
  // A copy, as the bytes of a database row need not lie on a multiple of four.
  return bytes instanceof Uint8Array ? new Uint32Array(bytes.slice().buffer) : new Uint32Array(0);
}

function lowerBound(sorted: BigUint64Array, wanted: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0n) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
