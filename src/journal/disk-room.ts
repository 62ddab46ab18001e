import { statfsSync } from "node:fs";

/** Looks at most once a second, as it is asked before every read. */
const lookMs = 1000;

/**
 * Returns a function that says whether a folder's disk has less free room than `reserveBytes`: then reading pauses
 * before SQLite fails. A disk that does not tell has room.
 */
export function watchDisk(folder: string, reserveBytes: number, now: () => number): () => boolean {
  let looked = Number.NEGATIVE_INFINITY;
  let low = false;
  return function isLow() {
    if (Math.abs(now() - looked) < lookMs) return low;
    looked = now();
    low = freeBytes(folder) < reserveBytes;
    return low;
  };
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
