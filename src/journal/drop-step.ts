import type { Changes, Journal } from "./journal.ts";
import { sinkOwner } from "./sink-owner.ts";

/**
 * What moves a sink over all that waits before a position, counted as dropped by hand; nothing when it stands there
 * already. To be committed before the sink moves by itself.
 */
export function dropStep(
  journal: Journal,
  sink: string,
  position: number,
): { readonly position: number; readonly changes: Changes; readonly samples: number } | undefined {
  const from = journal.position(sinkOwner(sink));
  if (position <= from) return undefined;
  const samples = journal.waiting(from).samples - journal.waiting(position).samples;
  const row = { scope: "sink", id: sink, name: "dropped", reason: byHand, count: samples } as const;
  return { position, changes: { ledger: samples > 0 ? [row] : [] }, samples };
}

/** The reason of the ledger. */
export const byHand = "by_hand";
