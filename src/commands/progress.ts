import { stderr } from "node:process";
import type { Progress } from "../model/context.ts";

/**
 * Shows progress on one line of stderr that is written over, ten times a second at most; nothing when stderr is no
 * terminal. The line is cleared when the work is done.
 */
export function showProgress(): (source: string, progress: Progress) => void {
  if (!stderr.isTTY) return () => {};
  let last = Number.NEGATIVE_INFINITY;
  return (source, { done, total, unit }) => {
    const now = performance.now();
    const isDone = total !== undefined && done >= total;
    if (!isDone && now - last < 100) return;
    last = now;
    const far =
      total === undefined ? `${done} ${unit} so far` : `${done} of ${total} ${unit} ${percent(done, total)} %`;
    stderr.write(isDone ? "\r\u001b[K" : `\r\u001b[K${source}: ${far}`);
  };
}

function percent(done: number, total: number): number {
  return Math.floor((done / total) * 100);
}
