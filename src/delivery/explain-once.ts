import type { ActiveSink } from "./active-sink.ts";

/** Reasons a sink is explained by at most; a plugin may make up one for each sample. */
export const maxExplained = 100;

/** Says whether a reason is to be logged: once a sink, and it counts as logged then. Called for all that is not delivered. */
export function isUnexplained({ explained }: ActiveSink, reason: string): boolean {
  if (explained.has(reason) || explained.size >= maxExplained) return false;
  explained.add(reason);
  return true;
}
