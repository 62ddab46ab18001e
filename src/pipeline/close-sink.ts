import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import type { SinkAtWork } from "./sink-at-work.ts";
import { within } from "./within.ts";

/** How long a sink may take to close, and the last snapshot to be written. */
export const closeMs = 5000;

/** Closes a sink whose worker has ended; one that fails or hangs keeps no other from its end. */
export async function closeSink(sink: SinkAtWork, log: Log): Promise<void> {
  const { id } = sink.resolved;
  try {
    if (!(await within(closeMs, sink.close()))) log.warn("A sink does not close and is left", { sink: id });
  } catch (error) {
    log.error("A sink has failed to close", { sink: id, reason: messageOf(error) });
  }
}
