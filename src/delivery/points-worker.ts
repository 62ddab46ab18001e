import { setImmediate } from "node:timers/promises";
import { dropStep } from "../journal/drop-step.ts";
import type { Journal, Slice } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Log } from "../model/log.ts";
import type { SinkContext } from "../model/sink.ts";
import type { ActiveSink } from "./active-sink.ts";
import { changedWithin } from "./changed-within.ts";
import { commitStep } from "./commit.ts";
import { deliverBatch } from "./deliver-batch.ts";
import { type Dropping, dropOldest, holdsUp } from "./drop-oldest.ts";
import type { DropOrders } from "./drop-orders.ts";
import { holdsUpReading } from "./holds-up-reading.ts";
import { logLeftOut } from "./log-left-out.ts";
import { nextReplay } from "./replay.ts";
import { mergeSlice, select } from "./select.ts";
import { type DeliveryWorld, deliveryWorld, type Failures, noFailures } from "./settle.ts";
import { watchJournal } from "./watch-journal.ts";

/** What a worker of points works with. */
export interface PointsWorkerOptions {
  readonly sink: ActiveSink;
  readonly journal: Journal;
  readonly ctx: SinkContext;
  readonly log: Log;
  /** Ends the worker at once; what was not delivered stays in the journal. */
  readonly signal: AbortSignal;
  /** Ends the worker after the slice it is at, or at once when that one fails; the rest stays in the journal. */
  readonly leave?: AbortSignal;
  /** Fires when no more will be appended: then the rest is delivered and the worker returns. */
  readonly inputEnded: AbortSignal;
  /** Cuts full slices only until the input has ended, so that bytes do not depend on timing. */
  readonly once: boolean;
  /** Whether another consumer makes room in a full journal by itself; none does by default. */
  readonly yields?: (consumer: string) => boolean;
  /** What of that which waits is to be dropped by hand. */
  readonly orders?: DropOrders;
  readonly world?: DeliveryWorld;
}

/** Delivers every sample of the journal to one sink, in order, until the signal fires or the input has ended. */
export async function runPointsWorker(options: PointsWorkerOptions): Promise<void> {
  const { sink, journal, signal, inputEnded, log, leave, once, yields = () => false } = options;
  const world = options.world ?? deliveryWorld(options.ctx, log);
  const work: Work = { ...options, dropping: { sink, journal, world, yields }, failures: noFailures() };
  const consumer = sinkOwner(sink.id);
  const limit = { samples: sink.batch.samples, bytes: sink.batch.bytes };
  const stop = AbortSignal.any(leave ? [signal, inputEnded, leave] : [signal, inputEnded]);
  while (!signal.aborted && !leave?.aborted) {
    const ended = inputEnded.aborted;
    // What is read once fits in the end; only a receiver that fails may cost samples then.
    const mayDrop = !ended && (!once || work.failures.inRow > 0);
    if (await carryOutOrder(work)) continue;
    if (mayDrop && (await dropOldest(work.dropping))) continue;
    const again = nextReplay(journal, sink.id, limit);
    if (again && !(await deliverSlice(work, again.slice, again.replayed))) break;
    const position = journal.position(consumer);
    const end = journal.end();
    const partial = sink.partial?.position === position ? sink.partial : undefined;
    const slice = await journal.slice(position, partial ? { ...limit, before: partial.next } : limit);
    if (slice.next === position) {
      if (again) continue;
      if (ended) break;
      sink.status.state = "idle";
      if (journal.end() === position && journal.dead.replaying(sink.id).samples === 0) await journal.changed(stop);
      continue;
    }
    const full = slice.samples >= limit.samples || slice.next < end;
    if (!full && !ended && !(await isDue(options, world, slice, stop))) continue;
    if (!(await deliverSlice(work, slice))) break;
  }
  sink.status.state = "stopped";
}

/** What the worker hands on to each slice. */
interface Work extends PointsWorkerOptions {
  readonly dropping: Dropping;
  readonly failures: Failures;
}

/** Drops what people want to be dropped; returns false when nothing was. */
async function carryOutOrder({ sink, journal, orders, dropping }: Work): Promise<boolean> {
  const position = orders?.to(sink.id) ?? 0;
  const step = dropStep(journal, sink.id, position);
  if (step && !(await commitStep(sink, journal, step, dropping.world))) return false;
  orders?.done(sink.id, position);
  return step !== undefined;
}

/** Returns false when stopped before the slice was committed; one that gives way to new samples is looked at again. */
async function deliverSlice(work: Work, slice: Slice, replayed: readonly number[] = []): Promise<boolean> {
  const { sink, journal, signal, inputEnded, leave, failures, dropping } = work;
  const { world } = dropping;
  const position = slice.next;
  const merged = mergeSlice(slice);
  if (!merged || (merged.samples.length === 0 && merged.ended.length === 0)) {
    return commitStep(sink, journal, { position, changes: { replayed } }, world);
  }
  const selection = select(sink, merged);
  logLeftOut(sink, selection, world.log);
  const { batch, ledger } = selection;
  const { orders } = work;
  const isOrdered = () => (orders?.to(sink.id) ?? 0) > journal.position(sinkOwner(sink.id));
  // What is left in the end fits, and is not left for room any more.
  const mayLeave = sink.whenFull === "drop-oldest" && !inputEnded.aborted;
  const room = mayLeave ? watchJournal(journal, () => holdsUp(dropping)) : undefined;
  const giveWay = () => room?.fired.aborted === true || isOrdered();
  // An order may have come amid the attempt.
  const hurry = () => [room?.fired, isOrdered() ? AbortSignal.abort() : orders?.next(sink.id)];
  const start = journal.position(sinkOwner(sink.id));
  const arrived = replayed.length === 0 && sink.partial?.position === start ? sink.partial.arrived : [];
  const options = { leave, failures, giveWay, hurry, arrived };
  const delivered = await deliverBatch(sink, batch, world, options).finally(room?.end);
  if (delivered.stopped && replayed.length === 0 && delivered.arrived.length > 0) {
    sink.partial = { position: start, next: position, arrived: delivered.arrived };
  }
  if (delivered.stopped) return giveWay() && !leave?.aborted && !signal.aborted;
  const changes = {
    owners: [sinkOwner(sink.id)],
    ledger: [...ledger, ...delivered.ledger],
    deadLetters: delivered.deadLetters,
    replayed,
  };
  if (!(await commitStep(sink, journal, { position, changes }, world))) return false;
  // Slices of which nothing is sent may be thousands, and must leave the others their turn.
  if (delivered.arrived.length === 0) await setImmediate();
  if (replayed.length === 0) sink.partial = undefined;
  sink.status.state = "idle";
  return true;
}

/**
 * A slice that is not full goes after the sink's interval, or, with `once`, not before the input has ended, but before
 * it keeps the source from reading on. Returns false when it is to be looked at again, for it may have grown.
 */
async function isDue(
  { sink, once, journal }: PointsWorkerOptions,
  world: DeliveryWorld,
  slice: Slice,
  stop: AbortSignal,
): Promise<boolean> {
  const { intervalMs } = sink.batch;
  if ((!once && intervalMs === 0) || holdsUpReading(journal, sinkOwner(sink.id))) return true;
  sink.status.state = "idle";
  if (once) {
    if (journal.end() === slice.next) await journal.changed(stop);
    return false;
  }
  const restMs = (slice.batches[0]?.time ?? 0) + intervalMs - world.ctx.now();
  // What seems to come from later was read before the clock was set back, and would wait for as long.
  if (restMs <= 0 || restMs > intervalMs) return true;
  await changedWithin(restMs, journal, world, stop);
  return false;
}
