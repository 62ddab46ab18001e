import type { Log } from "../model/log.ts";
import type { ActiveSink } from "./active-sink.ts";
import type { Selection } from "./select.ts";

/** Reasons a sink is explained by at most; a plugin may make up one for each sample. */
export const maxExplained = 100;

/** Says once a sink and reason what it is not given, with an example; called for each slice before it is rendered. */
export function logLeftOut(sink: ActiveSink, { failure, examples }: Selection, log: Log): void {
  if (failure !== undefined) log.error("Sink has a bug: match or refuse threw", { sink: sink.id, reason: failure });
  for (const [reason, { name, run }] of examples ?? []) {
    if (sink.explained.has(reason) || sink.explained.size >= maxExplained) continue;
    sink.explained.add(reason);
    const example = run ? `${name} of run ${run.id}` : name;
    log.info("Samples are left out for this sink, which are counted from here on", { sink: sink.id, reason, example });
  }
}
