import type { LiveRun } from "./live-run.ts";

/** The runs that have ended, the longest ended first. Changing a run's `endedAt` while it is in here is a mistake. */
export interface EndedQueue {
  first(): LiveRun | undefined;
  add(run: LiveRun): void;
  remove(run: LiveRun): void;
}

/** A sorted array: moving 10 000 pointers costs microseconds, and runs end rarely. */
export function createEndedQueue(): EndedQueue {
  const queue: LiveRun[] = [];

  function place(run: LiveRun): number {
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = queue[middle];
      if (other && isBefore(other, run)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    first: () => queue[0],
    add(run) {
      queue.splice(place(run), 0, run);
    },
    remove(run) {
      const index = place(run);
      if (queue[index] === run) queue.splice(index, 1);
    },
  };
}

function isBefore(a: LiveRun, b: LiveRun): boolean {
  const first = a.endedAt ?? 0;
  const second = b.endedAt ?? 0;
  return first < second || (first === second && a.run.id < b.run.id);
}
