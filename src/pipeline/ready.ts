import type { SinkReport, SourceReport } from "./status.ts";

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
 * A source is not ready before its first good poll; a sink that has nothing to do is ready.
 */
export function notReady({ sources, sinks, startedAt, now }: Readiness): readonly string[] {
  const intervalMs = Math.max(0, ...sources.map((source) => source.intervalMs));
  const late = (lastSuccess: number | undefined, ms: number) =>
    now - (lastSuccess ?? startedAt) > Math.max(3 * ms, minPatienceMs);
  const seconds = (lastSuccess: number | undefined) => Math.round((now - (lastSuccess ?? startedAt)) / 1000);
  const reading = sources
    .filter(({ lastSuccess, intervalMs }) => lastSuccess === undefined || late(lastSuccess, intervalMs))
    .map(({ id, lastSuccess, lastError }) =>
      sentence(`source "${id}"`, lastSuccess, seconds(lastSuccess), lastError?.reason),
    );
  const delivering = sinks
    .filter(({ waiting, lastSuccess, state }) => (waiting > 0 || state === "paused") && late(lastSuccess, intervalMs))
    .map(({ id, lastSuccess, lastError }) =>
      sentence(`sink "${id}"`, lastSuccess, seconds(lastSuccess), lastError?.reason),
    );
  return [...reading, ...delivering];
}

function sentence(what: string, lastSuccess: number | undefined, seconds: number, reason: string | undefined): string {
  const since =
    lastSuccess === undefined ? `no success yet, ${seconds} s after the start` : `no success for ${seconds} s`;
  return `${what}: ${since}${reason ? ` (${reason})` : ""}`;
}
