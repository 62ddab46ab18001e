import type { SinkReport, SourceReport } from "../server/status.ts";

/** What readiness is judged by. */
export interface Readiness {
  readonly sources: readonly SourceReport[];
  readonly sinks: readonly SinkReport[];
  /** Unix ms. */
  readonly startedAt: number;
  readonly now: number;
}

const minPatienceMs = 60_000;

/**
 * Says which sources and sinks have had no success for longer than three intervals, at least 60 s; empty when ready.
 * A source is not ready before its first good poll. A sink that has nothing to do, or waits by its own interval, is
 * ready; after an idle time the patience begins with the first sample that waits.
 */
export function notReady({ sources, sinks, startedAt, now }: Readiness): readonly string[] {
  const intervalMs = Math.max(0, ...sources.map((source) => source.intervalMs));
  const age = (lastSuccess: number | undefined) => now - (lastSuccess ?? startedAt);
  const reading = sources
    .filter(({ lastSuccess, ...source }) => lastSuccess === undefined || age(lastSuccess) > patience(source.intervalMs))
    .map(({ id, lastSuccess, lastError }) => sentence(`source "${id}"`, lastSuccess, age(lastSuccess), lastError));
  const delivering = sinks
    .filter((sink) => Math.min(age(sink.lastSuccess), stuckMs(sink)) > patience(intervalMs))
    .map(({ id, lastSuccess, lastError }) => sentence(`sink "${id}"`, lastSuccess, age(lastSuccess), lastError));
  return [...reading, ...delivering];
}

function patience(intervalMs: number): number {
  return Math.max(3 * intervalMs, minPatienceMs);
}

/** How long the sink has been at work on what waits for it. */
function stuckMs({ state, waiting, lagSeconds }: SinkReport): number {
  const failing = state === "paused" || state === "retrying";
  if (waiting === 0) return failing ? Number.POSITIVE_INFINITY : 0;
  return state === "idle" ? 0 : lagSeconds * 1000;
}

function sentence(
  what: string,
  lastSuccess: number | undefined,
  ageMs: number,
  lastError: { readonly reason: string } | undefined,
): string {
  const seconds = Math.round(ageMs / 1000);
  const since =
    lastSuccess === undefined ? `no success yet, ${seconds} s after the start` : `no success for ${seconds} s`;
  return `${what}: ${since}${lastError ? ` (${lastError.reason})` : ""}`;
}
