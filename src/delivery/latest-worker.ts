import type { Journal, LedgerRow } from "../journal/journal.ts";
import type { Batch } from "../model/batch.ts";
import type { Log } from "../model/log.ts";
import type { SinkContext } from "../model/sink.ts";
import { collectGarbage } from "../runtime/collect-garbage.ts";
import type { View } from "../view/view.ts";
import type { ActiveSink } from "./active-sink.ts";
import { select } from "./select.ts";
import { type DeliveryWorld, deliveryWorld, settle } from "./settle.ts";

export interface LatestWorkerOptions {
  readonly sink: ActiveSink;
  readonly view: View;
  readonly journal: Journal;
  readonly ctx: SinkContext;
  readonly log: Log;
  /** Ends the worker at once. */
  readonly signal: AbortSignal;
  /** Fires when no more will be appended: then the last state is delivered and the worker returns. */
  readonly inputEnded: AbortSignal;
  /** Delivers once, when the input has ended. */
  readonly once: boolean;
  readonly world?: DeliveryWorld;
}

/** Changes that come at the same time, such as the batches of one poll, are delivered together. */
const debounceMs = 20;

/** A group of more samples leaves megabytes behind that are given back at once. */
const manySamples = 10_000;

/**
 * Delivers the latest values of every group that has changed, whole groups at a time, until the signal fires or the
 * input has ended. A newer state takes the place of one that could not be delivered yet.
 */
export async function runLatestWorker(options: LatestWorkerOptions): Promise<void> {
  const { sink, view, journal, ctx, signal, inputEnded, once } = options;
  const world = options.world ?? deliveryWorld(ctx, options.log);
  const stop = AbortSignal.any([signal, inputEnded]);
  const groups = deliveredGroups(sink, journal);
  if (once) await makeRoomUntil(stop, options);
  while (!signal.aborted) {
    const ended = inputEnded.aborted;
    const position = journal.end();
    const done = await deliverChanged(options, world, groups);
    if (done) await commitTo(options, position);
    if (done && ended) break;
    sink.status.state = sink.status.state === "delivering" ? "idle" : sink.status.state;
    if (groups.changed(view).length === 0) await journal.changed(stop);
    await world.wait(Math.max(debounceMs, sink.batch.intervalMs), stop);
  }
  sink.status.state = "stopped";
}

/** Waits for the signal; the view has what a full journal lets go. */
async function makeRoomUntil(stop: AbortSignal, options: LatestWorkerOptions): Promise<void> {
  const { journal } = options;
  while (!stop.aborted) {
    await journal.changed(stop);
    if (journal.size().full) await commitTo(options, journal.end());
  }
}

/** Returns false when a group could not be delivered as it was, and is to be rendered again. */
async function deliverChanged(options: LatestWorkerOptions, world: DeliveryWorld, groups: Groups): Promise<boolean> {
  const { sink, view, journal, ctx, inputEnded } = options;
  for (const [name, version] of groups.changed(view)) {
    const { groupBy } = sink.traits;
    const latest = view.latest(ctx.now(), groupBy && { name, groupBy });
    const batch: Batch = { ...select(sink, latest).batch, group: name };
    if (batch.samples.length === 0 && !groups.has(name)) {
      groups.skip(name, version);
      continue;
    }
    for (const request of sink.render(batch)) {
      const settled = await settle(sink, request, world, () => view.version !== version && !inputEnded.aborted);
      if (settled.kind === "stopped") return false;
      // Half a group would replace the whole, so what is refused is refused until the group changes.
      if (settled.kind !== "delivered") {
        world.log.error("A group of latest values was refused", { sink: sink.id, group: name, reason: settled.reason });
      }
    }
    groups.delivered(name, version, batch.samples.length > 0);
    if (batch.samples.length > manySamples) collectGarbage();
    await journal.commit(`sink/${sink.id}`, journal.position(`sink/${sink.id}`), { owners: [`sink/${sink.id}`] });
  }
  return true;
}

/** Everything up to `position` has been delivered or superseded by something newer. */
async function commitTo({ sink, journal }: LatestWorkerOptions, position: number): Promise<void> {
  const consumer = `sink/${sink.id}`;
  const from = journal.position(consumer);
  if (position <= from) return;
  const count = journal.waiting(from).samples - journal.waiting(position).samples;
  const row: LedgerRow = { scope: "sink", id: sink.id, name: "delivered", reason: "", count };
  await journal.commit(consumer, position, { ledger: count > 0 ? [row] : [] });
  await journal.trim();
}

/** The groups that the receiver holds, kept in the journal: one that has emptied is deleted after a restart, too. */
interface Groups {
  changed(view: View): readonly (readonly [name: string, version: number])[];
  has(name: string): boolean;
  delivered(name: string, version: number, filled: boolean): void;
  skip(name: string, version: number): void;
}

function deliveredGroups(sink: ActiveSink, journal: Journal): Groups {
  const state = journal.state(`sink/${sink.id}`);
  const held = new Set([...state.scan("group/")].map(([key]) => key.slice("group/".length)));
  const versions = new Map<string, number>();
  return {
    changed(view) {
      const current = new Map(view.versions(sink.traits.groupBy));
      for (const name of held) if (!current.has(name)) current.set(name, 0);
      return [...current].filter(([name, version]) => versions.get(name) !== version);
    },
    has: (name) => held.has(name),
    skip: (name, version) => void versions.set(name, version),
    delivered(name, version, filled) {
      versions.set(name, version);
      if (filled === held.has(name)) return;
      if (filled) {
        held.add(name);
        state.set(`group/${name}`, "");
      } else {
        held.delete(name);
        state.delete(`group/${name}`);
      }
    },
  };
}
