import type { Log } from "../model/log.ts";
import type { ActiveSink } from "./active-sink.ts";
import { isUnexplained, maxMadeUp } from "./explain-once.ts";
import type { Selection } from "./select.ts";

/** Says once a sink and reason what it is not given, with an example; called for each slice before it is rendered. */
export function logLeftOut(sink: ActiveSink, { failure, examples }: Selection, log: Log): void {
  if (failure !== undefined && isUnexplained(sink, "bug")) {
    log.error("Sink has a bug: match or refuse threw", { sink: sink.id, reason: failure });
  }
  for (const [reason, { name, run }] of examples ?? []) {
    if (!isUnexplained(sink, reason, maxMadeUp)) continue;
    const example = run ? `${name} of run ${run.id}` : name;
    log.info("Samples are left out for this sink, which are counted from here on", { sink: sink.id, reason, example });
  }
}
