import * as v from "valibot";
import type { DeadCount, DeadFilter } from "../journal/dead-queue.ts";
import type { Journal } from "../journal/journal.ts";
import { UsageError } from "../model/errors.ts";
import { dropWaiting, type Pass } from "./drop-waiting.ts";
import { placedSinks, queueSinks } from "./sinks.ts";

/** What can be done to a queue: to dead letters, and to what waits for one sink. */
export type QueueChange = (typeof queueChanges)[number];

/** What can be changed, by the last part of the API's path. */
export const queueChanges = ["replay", "drop", "drop-waiting"] as const;

/** A `DeadFilter` as it comes over the wire; strict, as a name that is mistyped must not mean "all". */
export const deadFilter = v.pipe(
  // To valibot a list is an object without names.
  v.custom<object>((input) => !Array.isArray(input)),
  v.strictObject({
    sink: v.optional(v.pipe(v.string(), v.nonEmpty())),
    reason: v.optional(v.pipe(v.string(), v.nonEmpty())),
    since: v.optional(v.pipe(v.number(), v.finite())),
    before: v.optional(v.pipe(v.number(), v.finite())),
  }),
);

/**
 * Changes a queue and returns what it was: the one way for a running mlmon, through its API, and for a stopped one, on
 * its journal; `pass` is what differs between them. Throws `UsageError` for a sink that the queue does not know, or that is gone and can have nothing
 * replayed; without a sink those are passed over.
 */
export async function changeQueue(
  journal: Journal,
  change: QueueChange,
  filter: DeadFilter,
  pass: Pass,
): Promise<readonly DeadCount[]> {
  if (change === "drop-waiting") return dropWaiting(journal, filter, pass);
  const sinks = queueSinks(journal, filter.sink);
  if (change === "drop") return journal.dead.drop(filter);
  const placed = placedSinks(journal);
  if (filter.sink !== undefined && !placed.includes(filter.sink)) {
    throw new UsageError(`Cannot replay dead letters of the sink "${filter.sink}" as it is no longer configured`);
  }
  const replayed: DeadCount[] = [];
  for (const sink of sinks.filter((id) => placed.includes(id))) {
    replayed.push(...(await journal.dead.replay({ ...filter, sink })));
  }
  return replayed;
}
