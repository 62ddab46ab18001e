import { setTimeout as sleep } from "node:timers/promises";
import type { ActiveSource } from "./read-source.ts";

/** How often it is looked at, ms. */
const everyMs = 100;

/**
 * Waits until each source has begun and ended a poll after the call: the end of one that was under way, and of the next.
 * Ends also when the signal fires. A source that tells of no polls is given two of its intervals.
 */
export async function caughtByReading(
  sources: () => readonly ActiveSource[],
  { signal, now }: { readonly signal: AbortSignal; readonly now: () => number },
): Promise<void> {
  for (let poll = 0; poll < 2; poll++) {
    const since = now();
    while (!signal.aborted && !sources().every((source) => hasPolled(source, since, now()))) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function hasPolled({ report }: ActiveSource, since: number, now: number): boolean {
  if (report.state === "ended") return true;
  if (report.lastSuccess === undefined && report.lastError === undefined) return now - since > report.intervalMs;
  return report.lastSuccess !== undefined && report.lastSuccess > since;
}
