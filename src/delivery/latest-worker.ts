import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Batch } from "../model/batch.ts";
import type { Log } from "../model/log.ts";
import type { SinkContext } from "../model/sink.ts";
import { collectGarbage } from "../runtime/collect-garbage.ts";
import type { View } from "../view/view.ts";
import type { ActiveSink } from "./active-sink.ts";
import { changedWithin } from "./changed-within.ts";
import { commitStep } from "./commit.ts";
import { logRefusedGroup } from "./dead.ts";
import { type Groups, trackGroups } from "./groups.ts";
import { logLeftOut } from "./log-left-out.ts";
import { type Passing, passTo } from "./pass.ts";
import { passReplay } from "./pass-replay.ts";
import { render } from "./render.ts";
import { nextReplay } from "./replay.ts";
import { select } from "./select.ts";
import {
  type DeliveryWorld,
  deliveryWorld,
  type Failures,
  keepWait,
  noFailures,
  type SettleOptions,
  settle,
} from "./settle.ts";
import { watchJournal } from "./watch-journal.ts";

/** What a worker of latest values works with. */
export interface LatestWorkerOptions {
  readonly sink: ActiveSink;
  readonly view: View;
  readonly journal: Journal;
  readonly ctx: SinkContext;
  readonly log: Log;
  /** Ends the worker at once. */
  readonly signal: AbortSignal;
  /** Ends the worker after the group it is at, or at once when that one fails. */
  readonly leave?: AbortSignal;
  /** Fires when no more will be appended: then the last state is delivered and the worker returns. */
  readonly inputEnded: AbortSignal;
  /** Delivers once, when the input has ended. */
  readonly once: boolean;
  readonly world?: DeliveryWorld;
}

/** Changes that come at the same time, such as the batches of one poll, are delivered together. */
const debounceMs = 20;

/** Dead letters of one round of their groups. */
const replayLimit = { samples: 10_000, bytes: 8 * 1024 ** 2 };

/** A group of more samples leaves megabytes behind that are given back at once. */
const manySamples = 10_000;

/**
 * Delivers the latest values of every group that has changed, whole groups at a time, until the signal fires or the
 * input has ended. A newer state takes the place of one that could not be delivered yet.
 */
export async function runLatestWorker(options: LatestWorkerOptions): Promise<void> {
  const { sink, view, journal, ctx, signal, inputEnded, once, leave } = options;
  const world = options.world ?? deliveryWorld(ctx, options.log);
  const stop = AbortSignal.any(leave ? [signal, inputEnded, leave] : [signal, inputEnded]);
  const groups = trackGroups(sink, view, journal, world.log);
  const rounds: Rounds = { isLarge: false, groups, failures: noFailures(), refused: new Map() };
  const passing: Passing = { sink, journal, world, groupOf: groups.of, refused: rounds.refused };
  if (once) await makeRoomUntil(stop, options, passing);
  while (!signal.aborted && !leave?.aborted) {
    const ended = inputEnded.aborted;
    const position = journal.end();
    const again = nextReplay(journal, sink.id, replayLimit);
    for (const { group } of again?.slice.batches ?? []) groups.touch(group ?? "");
    const done = (await leaveAlone(options, world, rounds)) && (await deliverChanged(options, world, rounds));
    if (done && again) await passReplay(again, passing);
    if (done) await passTo(position, "delivered", passing);
    // The view has what a full journal lets go, so that a receiver that is away holds up no reading.
    else if (!signal.aborted && journal.size().full) await passTo(position, "superseded", passing);
    const isReplaying = journal.dead.replaying(sink.id).samples > 0;
    if (done && ended && !isReplaying) break;
    sink.status.state = sink.status.state === "delivering" ? "idle" : sink.status.state;
    // What has come meanwhile has rung before anybody listened.
    const isIdle = groups.changed().length === 0 && !isReplaying && journal.end() === position;
    if (isIdle) await nextRound(options, world, stop, groups);
    await world.wait(Math.max(debounceMs, sink.batch.intervalMs), stop);
  }
  sink.status.state = "stopped";
}

function nextRound(
  { sink, journal }: LatestWorkerOptions,
  world: DeliveryWorld,
  stop: AbortSignal,
  groups: Groups,
): Promise<void> {
  const isRefreshed = sink.traits.refreshMs !== undefined;
  return isRefreshed ? changedWithin(groups.restMs(), journal, world, stop) : journal.changed(stop);
}

/** Waits for the signal; the view has what a full journal lets go. */
async function makeRoomUntil(stop: AbortSignal, options: LatestWorkerOptions, passing: Passing): Promise<void> {
  const { journal } = options;
  while (!stop.aborted) {
    if (holdsUp(options)) await passTo(journal.end(), "superseded", passing);
    else await journal.changed(stop);
  }
}

/** What a worker keeps from round to round. */
interface Rounds {
  /** Whether the last group was of many samples. */
  isLarge: boolean;
  readonly groups: Groups;
  readonly failures: Failures;
  /** Why groups were refused since the last commit. */
  readonly refused: Map<string, string>;
}

/** Waits, before groups are rendered, as long as the receiver has asked for; returns false when room is wanted first. */
async function leaveAlone(options: LatestWorkerOptions, world: DeliveryWorld, { failures }: Rounds): Promise<boolean> {
  const { journal, signal, leave } = options;
  const room = watchJournal(journal, () => holdsUp(options));
  const end = AbortSignal.any(leave ? [signal, leave, room.fired] : [signal, room.fired]);
  return keepWait(failures, world, end).finally(room.end);
}

/** Reading waits for no receiver of latest values, however long that one wants to be left alone. */
function holdsUp({ sink, journal, inputEnded }: LatestWorkerOptions): boolean {
  return !inputEnded.aborted && journal.size().full && journal.position(sinkOwner(sink.id)) < journal.end();
}

/** Returns false when a group could not be delivered as it was, and is to be rendered again. */
async function deliverChanged(options: LatestWorkerOptions, world: DeliveryWorld, rounds: Rounds): Promise<boolean> {
  const { leave } = options;
  for (const name of rounds.groups.changed()) {
    if (leave?.aborted) return false;
    // What the batches of a poll have left behind would stand beside what rendering leaves.
    if (rounds.isLarge) collectGarbage();
    if (!(await deliverNamed(name, options, world, rounds))) return false;
    // Only here nothing refers to the samples any more.
    if (rounds.isLarge) collectGarbage();
  }
  return true;
}

/** Delivers one group as it is now; returns false when it is to be rendered again. */
async function deliverNamed(
  name: string,
  options: LatestWorkerOptions,
  world: DeliveryWorld,
  rounds: Rounds,
): Promise<boolean> {
  const { sink, journal, ctx, inputEnded, leave } = options;
  const { groups, failures, refused } = rounds;
  // It may have changed once more while those before it were on their way.
  const version = groups.version(name);
  const selection = select(sink, groups.latest(name, ctx.now()));
  logLeftOut(sink, selection, world.log);
  const batch: Batch = { ...selection.batch, group: name };
  rounds.isLarge = batch.samples.length > manySamples;
  if (batch.samples.length === 0 && !groups.has(name)) {
    groups.skip(name, version);
    return true;
  }
  const owner = sinkOwner(sink.id);
  const room = watchJournal(journal, () => holdsUp(options));
  const giveWay = () => room.fired.aborted || (!inputEnded.aborted && groups.version(name) !== version);
  const hurry = () => [room.fired];
  const waiting = { giveWay, hurry, leave, failures };
  const reason = await deliverGroup(sink, batch, world, waiting).finally(room.end);
  if (reason === stopped) return false;
  // Half a group would replace the whole, so what is refused is refused until the group changes.
  if (reason === undefined) refused.delete(name);
  else refused.set(name, reason);
  if (!groups.delivered(name, version, batch.samples.length > 0)) return true;
  return commitStep(sink, journal, { position: journal.position(owner), changes: { owners: [owner] } }, world);
}

const stopped = Symbol("stopped");

/** Returns why the group was refused, or nothing when all of it was taken. */
async function deliverGroup(
  sink: ActiveSink,
  batch: Batch,
  world: DeliveryWorld,
  options: SettleOptions,
): Promise<string | typeof stopped | undefined> {
  const requests = render(sink, batch);
  let reason = typeof requests === "string" ? requests : undefined;
  for (const request of typeof requests === "string" ? [] : requests) {
    const settled = await settle(sink, request, world, { ...options, samples: batch.samples.length });
    if (settled.kind === "stopped") return stopped;
    if (settled.kind !== "delivered") reason ??= settled.reason;
  }
  if (reason !== undefined) logRefusedGroup(sink, batch.group, reason, world.log);
  return reason;
}
