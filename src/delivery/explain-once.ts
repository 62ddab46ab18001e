import type { ActiveSink } from "./active-sink.ts";

/** Reasons a sink is explained by at most; a receiver may answer with any status. */
export const maxExplained = 100;

/** Those among them for which samples are left out; a plugin may make up one for each sample, and silence all others. */
export const maxMadeUp = 50;

/** Says whether a reason is to be logged: once a sink, and it counts as logged then. Called for all that is not delivered. */
export function isUnexplained({ explained }: ActiveSink, reason: string, max = maxExplained): boolean {
  if (explained.has(reason) || explained.size >= max) return false;
  explained.add(reason);
  return true;
}
