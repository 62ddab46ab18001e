import type { Changes, Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import { WorkError } from "../model/errors.ts";
import type { ActiveSink } from "./active-sink.ts";
import { backoffMs } from "./backoff.ts";
import type { DeliveryWorld } from "./settle.ts";

/**
 * Moves a sink and frees what all have passed. A journal that cannot be written, as on a full disk, is tried again: to
 * give up would be to deliver the same once more. Returns false when the signal fires first.
 */
export async function commitStep(
  sink: ActiveSink,
  journal: Journal,
  step: { readonly position: number; readonly changes?: Changes },
  world: DeliveryWorld,
): Promise<boolean> {
  const { signal, now } = world.ctx;
  const before = sink.status.state;
  for (let attempt = 0; ; attempt++) {
    try {
      await journal.commit(sinkOwner(sink.id), step.position, step.changes);
      break;
    } catch (error) {
      if (!(error instanceof WorkError)) throw error;
      sink.status.state = "retrying";
      sink.status.lastError = { time: now(), reason: error.message };
      if (attempt === 0) {
        const message = "What was delivered cannot be written down, which is tried again";
        world.log.error(message, { sink: sink.id, reason: error.message });
      }
      await world.wait(backoffMs(attempt, sink.retry, world.random), signal);
      if (signal.aborted) return false;
    }
  }
  sink.status.state = before;
  // What could not be freed now is freed after a later step.
  await journal.trim().catch(onlyWorkErrors);
  return true;
}

function onlyWorkErrors(error: unknown): void {
  if (!(error instanceof WorkError)) throw error;
}
