import type { DeadCount, DeadFilter } from "../journal/dead-queue.ts";
import { byHand, dropStep } from "../journal/drop-step.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import { UsageError } from "../model/errors.ts";
import { placedSinks, queueSinks } from "./sinks.ts";

/** Moves a sink over what waits for it: its worker does that itself while mlmon runs. */
export type Pass = (sink: string, position: number) => Promise<void>;

/**
 * Drops what waits for one sink, or of it what was read before a moment, and returns what that was. Throws `UsageError`
 * without a sink, for one that is not known, and for what only dead letters have.
 */
export async function dropWaiting(
  journal: Journal,
  { sink, reason, since, before }: DeadFilter,
  pass: Pass,
): Promise<readonly DeadCount[]> {
  if (sink === undefined) throw new UsageError("Cannot drop what waits for every sink at once: name one with --sink");
  if (reason !== undefined || since !== undefined) throw new UsageError("What waits has no reason: leave it out");
  queueSinks(journal, sink);
  if (!placedSinks(journal).includes(sink)) return [];
  const from = journal.position(sinkOwner(sink));
  const to = before === undefined ? journal.end() : journal.positionAt(before);
  const samples = dropStep(journal, sink, to)?.samples ?? 0;
  if (samples === 0) return [];
  const bytes = journal.waitingBytes(from) - journal.waitingBytes(to);
  await pass(sink, to);
  return [{ sink, reason: byHand, letters: 0, samples, bytes }];
}

/** The way of a stopped mlmon. */
export function passStopped(journal: Journal): Pass {
  return async (sink, position) => {
    const step = dropStep(journal, sink, position);
    if (step) await journal.commit(sinkOwner(sink), step.position, step.changes);
    await journal.trim();
  };
}
