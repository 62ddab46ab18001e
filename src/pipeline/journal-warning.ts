import type { JournalSize } from "../journal/journal-size.ts";
import { bytes, count } from "../server/quantities.ts";

/** From this fill on the journal is warned of, before reading pauses or samples are dropped. */
export const warnedFill = 0.8;

/** Waiting samples of a sink, by its id. */
export type Backlog = readonly { readonly id: string; readonly waiting: number }[];

/** Says how near the journal is to a bound, and on whose account; nothing while there is room. */
export function journalWarning(size: JournalSize, sinks: Backlog): string | undefined {
  if (size.fill < warnedFill) return undefined;
  const filled = size.full ? "full" : `${Math.floor(size.fill * 100)} % full`;
  const slowest = sinks.toSorted((one, other) => other.waiting - one.waiting)[0];
  const who = slowest?.waiting ? `: most waits for the sink "${slowest.id}", ${count(slowest.waiting)} samples` : "";
  return `The journal is ${filled}, ${measure(size)}${who}`;
}

function measure({ bound, ...size }: JournalSize): string {
  if (bound === "bytes") return `${bytes(size.bytes)} of ${bytes(size.maxBytes)}`;
  if (bound === "age") return `it holds ${days(size.ageMs)} of ${days(size.maxAgeMs)}`;
  return `${bytes(size.freeBytes)} are free on its disk, and ${bytes(size.reserveBytes)} must be`;
}

function days(ms: number): string {
  const value = ms / 86_400_000;
  return value >= 2 ? `${value.toFixed(1)} days` : `${(ms / 3_600_000).toFixed(1)} hours`;
}
