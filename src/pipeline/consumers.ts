import { placedRow } from "../journal/audit.ts";
import type { Journal, LedgerRow } from "../journal/journal.ts";
import { sinkOf, sinkOwner } from "../journal/sink-owner.ts";
import type { Log } from "../model/log.ts";
import type { CheckedSinkOptions } from "../model/sink-options.ts";
import type { State } from "../model/state.ts";

type Sinks = readonly { readonly id: string }[];

/** A sink that may be new. */
export interface Placed {
  readonly id: string;
  readonly startFrom?: CheckedSinkOptions["startFrom"];
  /** Whether it can be given what the journal no longer holds. */
  readonly catchesUp: boolean;
}

/**
 * Frees what waits for sinks that are no longer configured, after saying so; called before `placeNew`, at the start and
 * after a reload.
 */
export async function dropGone(journal: Journal, sinks: Sinks, log: Log): Promise<void> {
  const wanted = new Set(sinks.map(({ id }) => id));
  const known = journal.consumers().map(sinkOf);
  const gone = known.filter((id) => id !== undefined).filter((id) => !wanted.has(id));
  const added = sinks.filter(({ id }) => !known.includes(id));
  const [renamed] = added.length === 1 && gone.length === 1 ? added : [];
  for (const id of gone) {
    const consumer = sinkOwner(id);
    const { samples } = journal.waiting(journal.position(consumer));
    const hint = renamed && { hint: `if it is "${renamed.id}" now, the id "${id}" would have kept its place` };
    log.warn("A sink is no longer configured: what was waiting for it is dropped", { sink: id, samples, ...hint });
    const dropped: LedgerRow = { scope: "sink", id, name: "dropped", reason: "sink_removed", count: samples };
    // What it had begun to catch up with is begun anew if it comes back.
    const keeper = catchUpOwner(id);
    forgetBegin(journal.state(keeper));
    journal.state(keeper).delete(seenKey);
    await journal.forget(consumer, { owners: [keeper], ledger: samples > 0 ? [dropped] : [] });
  }
}

/**
 * Takes the places of sinks that take no part in an export, as they would hold the journal for ever: what they show is in
 * the view. Called before `placeNew`; the next service gives them places again.
 */
export async function releaseUnserved(journal: Journal, sinks: Sinks): Promise<void> {
  const known = new Set(journal.consumers());
  for (const { id } of sinks.filter(({ id }) => known.has(sinkOwner(id)))) {
    const { samples: count } = journal.waiting(journal.position(sinkOwner(id)));
    const superseded: LedgerRow = { scope: "sink", id, name: "superseded", reason: "not_served", count };
    await journal.forget(sinkOwner(id), { ledger: count > 0 ? [superseded] : [] });
  }
}

/**
 * Gives each sink that has none a position, so that nothing it is to have is trimmed, and notes when one that starts
 * from "now" was first seen; called before its worker starts. The position of a sink at work is its worker's alone, but
 * one that waits for its history gives that up when it starts from "now" after all.
 */
export async function placeNew(journal: Journal, sinks: readonly Placed[], now = Date.now): Promise<void> {
  const known = new Set(journal.consumers());
  for (const { id, startFrom, catchesUp } of sinks) {
    const owner = sinkOwner(id);
    const keeper = catchUpOwner(id);
    const state = journal.state(keeper);
    const startsNow = startFrom === "now";
    if (known.has(owner)) {
      if (!startsNow || state.get(beginKey) === undefined) continue;
      forgetBegin(state);
      state.set(seenKey, String(now()));
      await journal.commit(owner, journal.position(owner), { owners: [keeper] });
      continue;
    }
    const hasGap = journal.stored() > journal.waiting(journal.position(owner)).samples;
    const mustCatchUp = catchesUp && hasGap && !startsNow;
    const position = mustCatchUp || startsNow ? journal.end() : journal.position(owner);
    if (mustCatchUp) state.set(beginKey, String(position));
    // One that an export has left out, as nothing is served there, is as old as it was.
    if (startsNow && state.get(seenKey) === undefined) state.set(seenKey, String(now()));
    const placed = placedRow(journal, id, position);
    await journal.commit(owner, position, { owners: [keeper], ledger: placed.count === 0 ? [] : [placed] });
  }
}

/** When a sink was first seen, Unix ms: one that starts from "now" starts there. */
export function firstSeen(journal: Journal, id: string): number {
  return Number(journal.state(catchUpOwner(id)).get(seenKey) ?? Number.NEGATIVE_INFINITY);
}

/**
 * Whose state says when a sink was first seen, and where it begins, under `beginKey`, until it has got what the journal
 * no longer holds.
 */
export function catchUpOwner(id: string): string {
  return `catch-up/${id}`;
}

/** Under which the state of `catchUpOwner` keeps the position at which the sink begins. */
export const beginKey = "begin";

const seenKey = "seen";

/** The id of the last dead letter that has come from the sink's history to the common journal. */
export const movedKey = "moved";

/** Ends the catching up of a sink, or gives it up; written by the step that names the owner. */
export function forgetBegin(state: State): void {
  state.delete(beginKey);
  state.delete(movedKey);
}
