import { statfsSync } from "node:fs";

/** With room enough it is looked at once a second at most, as it is asked before every read. */
const lookMs = 1000;

/**
 * Returns a function that says how many bytes a folder's disk has free, at this moment when that is less than
 * `enoughBytes`; a disk that does not tell has room without end.
 */
export function watchDisk(folder: string, enoughBytes: number, now: () => number): () => number {
  let looked = Number.NEGATIVE_INFINITY;
  let free = 0;
  return function freeBytes() {
    if (free > enoughBytes && Math.abs(now() - looked) < lookMs) return free;
    looked = now();
    free = look(folder);
    return free;
  };
}

function look(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
