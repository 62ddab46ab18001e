import type { DeadLetter, LedgerRow } from "../journal/journal.ts";
import { deadReason } from "../model/dead-reason.ts";
import type { DeliveryWorld } from "./settle.ts";

/** The counter of one dead letter. */
export function deadRow({ sink, reason, batch }: DeadLetter): LedgerRow {
  return { scope: "sink", id: sink, name: "dead", reason: deadReason(reason), count: batch.samples.length };
}

/** One line for each kind of reason, however many samples a slice has lost to it. */
export function logDead(letters: readonly DeadLetter[], { log }: DeliveryWorld): void {
  for (const alike of Map.groupBy(letters, ({ reason }) => deadReason(reason)).values()) {
    log.error("Samples were refused for good and are dead letters now", {
      sink: alike[0]?.sink,
      samples: alike.reduce((sum, { batch }) => sum + batch.samples.length, 0),
      example: alike[0]?.batch.samples[0]?.name,
      reason: alike[0]?.reason,
    });
  }
}
