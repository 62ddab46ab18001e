import { setTimeout as sleep } from "node:timers/promises";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { backoffMs } from "../delivery/backoff.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";

/**
 * Keeps a sink's worker going: one that throws (a journal that cannot be written, a bug) is started again after a
 * backoff, from its position, so that nothing is lost and no other sink is touched. Resolves when the worker has ended.
 */
export async function supervise(
  sink: ActiveSink,
  work: () => Promise<void>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      const reason = messageOf(error);
      const delayMs = backoffMs(attempt, { baseMs: 1000, capMs: 60_000 });
      sink.status.state = "retrying";
      sink.status.lastError = { time: Date.now(), reason };
      log.error("Sink failed and is started again", { sink: sink.id, reason, delayMs });
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
