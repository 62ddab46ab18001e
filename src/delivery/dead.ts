import type { DeadLetter, LedgerRow } from "../journal/journal.ts";
import { deadReason } from "../model/dead-reason.ts";
import type { Log } from "../model/log.ts";
import type { ActiveSink } from "./active-sink.ts";
import { isUnexplained } from "./explain-once.ts";
import type { DeliveryWorld } from "./settle.ts";

/** The counter of one dead letter. */
export function deadRow({ sink, reason, batch }: DeadLetter): LedgerRow {
  return { scope: "sink", id: sink, name: "dead", reason: deadReason(reason), count: batch.samples.length };
}

/** Says once for each kind of reason what was refused, with an example; called for each slice that has lost something. */
export function logDead(sink: ActiveSink, letters: readonly DeadLetter[], { log }: DeliveryWorld): void {
  for (const { reason, batch } of letters) {
    if (!isUnexplained(sink, `dead ${deadReason(reason)}`)) continue;
    const example = batch.samples[0]?.name;
    log.error("Samples were refused for good and are dead letters now, which are counted from here on", {
      sink: sink.id,
      example,
      reason,
    });
  }
}

/** Says once for each kind of reason that a sink of latest values had a group refused; called for each such group. */
export function logRefusedGroup(sink: ActiveSink, group: string | undefined, reason: string, log: Log): void {
  if (!isUnexplained(sink, `group ${deadReason(reason)}`)) return;
  const message = "A group of latest values was refused; such samples are dead letters, which are counted from here on";
  log.error(message, { sink: sink.id, group, reason });
}
