import type { Journal } from "../journal/journal.ts";
import { sinkOf } from "../journal/sink-owner.ts";
import { UsageError } from "../model/errors.ts";

/** The sinks that have a place in the journal: those of the configuration that mlmon ran with last. */
export function placedSinks(journal: Journal): readonly string[] {
  return journal
    .consumers()
    .map(sinkOf)
    .filter((id) => id !== undefined);
}

/**
 * The sinks that a queue knows, in order of their ids: placed ones, and those that are gone and have left dead letters;
 * only the named one when there is a name. Throws `UsageError` for one that is not known.
 */
export function queueSinks(journal: Journal, sink?: string): readonly string[] {
  const known = new Set([...placedSinks(journal), ...journal.dead.counts({}).map((count) => count.sink)]);
  if (sink === undefined) return [...known].sort();
  if (known.has(sink)) return [sink];
  const expected = known.size === 0 ? "it knows no sink yet" : `expected one of ${[...known].sort().join(", ")}`;
  throw new UsageError(`Cannot find the sink "${sink}" in the queue: ${expected}`);
}
