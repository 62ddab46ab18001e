import { setTimeout as sleep } from "node:timers/promises";
import type { ActiveSource } from "./read-source.ts";

/** How often it is looked at, ms. */
const everyMs = 100;

/**
 * Waits until each source has begun and ended a poll after the call: the end of one that was under way, and of the next.
 * Ends also when the signal fires. A source that tells of no polls is given two of its intervals. Called once for each
 * new sink that catches up; counts polls, as a clock may be set back.
 */
export async function caughtByReading(sources: () => readonly ActiveSource[], signal: AbortSignal): Promise<void> {
  const begun = performance.now();
  const before = new Map<ActiveSource, number>();
  function isCaught(source: ActiveSource): boolean {
    const { polls, report } = source;
    const since = before.get(source) ?? polls;
    before.set(source, since);
    if (report.state === "ended" || polls >= since + 2) return true;
    return report.lastSuccess === undefined && report.lastError === undefined
      ? performance.now() - begun > 2 * report.intervalMs
      : false;
  }
  // Each is asked, so that all count from now on.
  while (!signal.aborted && sources().map(isCaught).includes(false)) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
