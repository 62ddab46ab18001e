import type { Difference, Differences } from "../config/compare.ts";
import type { ResolvedConfig, ResolvedEntry, ResolvedSink } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import { ConfigError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import type { Source } from "../model/source.ts";
import type { View } from "../view/view.ts";
import type { ActiveTransform } from "./apply-transform.ts";
import { closeSink } from "./close-sink.ts";
import { dropGone, placeNew } from "./consumers.ts";
import type { Intake } from "./intake.ts";
import { isLatest, type SinkAtWork } from "./sink-at-work.ts";
import type { SourceAtWork } from "./source-at-work.ts";
import { within } from "./within.ts";

/** The parts of a pipeline that a reload may replace. */
export interface Parts {
  readonly sources: readonly SourceAtWork[];
  readonly sinks: readonly SinkAtWork[];
}

/** What a change of the parts needs of the pipeline. */
export interface ApplyWorld {
  readonly journal: Journal;
  readonly view: View;
  readonly intake: Intake;
  readonly log: Log;
  readonly now: () => number;
  /** How long a part may take to leave, ms. */
  readonly leaveMs: number;
  makeSource(entry: ResolvedEntry<Source>): SourceAtWork;
  makeSink(resolved: ResolvedSink): SinkAtWork;
  makeTransforms(config: ResolvedConfig): readonly ActiveTransform[];
  /** Called before the first batch passes the new transforms. */
  noteTransforms(): Promise<void>;
  /** Stores the view as it is now, and wakes the sinks that show it. */
  saveView(): Promise<void>;
  /** Takes the new sinks, so that a stop at this moment ends them, too. */
  use(parts: Parts): void;
}

/**
 * Makes, changes and ends what differs, and touches nothing else: a part that is kept keeps its connection, position
 * and worker; one that has changed is made anew and goes on at its position. Throws `ConfigError` when a new part cannot
 * be made or set up; then everything is as it was.
 */
export async function applyConfig(
  before: Parts,
  config: ResolvedConfig,
  differences: Differences,
  world: ApplyWorld,
): Promise<void> {
  const { view, intake } = world;
  const fresh = new Set([...differences.sinks.changed, ...differences.sinks.added]);
  const made = config.sinks.filter(({ id }) => fresh.has(id)).map(world.makeSink);
  const transforms = differences.transforms ? world.makeTransforms(config) : undefined;
  const sinks = config.sinks.map(({ id }) => find(made, id) ?? find(before.sinks, id)).filter((sink) => !!sink);
  // With points to deliver a source reads more than with the latest values alone.
  const rereads = consumes(before.sinks) !== consumes(sinks);
  const sourceChanges = rereads ? allChanged(differences.sources) : differences.sources;
  const renewed = new Set([...sourceChanges.changed, ...sourceChanges.added]);
  const readers = config.sources.filter(({ id }) => renewed.has(id)).map((entry) => world.makeSource(madeOnce(entry)));

  if (transforms) await world.noteTransforms();
  await exchangeSinks(before, made, differences.sinks, world);
  for (const sink of made) sink.start();
  const kept = before.sources.filter(({ active }) => sourceChanges.kept.includes(active.entry.id));
  const sources = config.sources
    .map(({ id }) => [...readers, ...kept].find(({ active }) => active.entry.id === id))
    .filter((source) => !!source);
  world.use({ sources, sinks });
  await dropLater(config.sinks, world);

  if (transforms) await intake.replaceTransforms(transforms);
  const leaving = before.sources.filter((source) => !kept.includes(source));
  await Promise.all(leaving.map((source) => leaveSource(source, world)));
  if (differences.sources.removed.length > 0) {
    const ids = config.sources.map(({ id }) => id);
    await intake.exclusively(async () => view.keepSources(ids));
    await world.saveView();
  }
  for (const reader of readers) void reader.read(consumes(sinks));
}

/** Whether sources are to read every point. */
export function consumes(sinks: readonly SinkAtWork[]): "points" | "latest" {
  return sinks.some(({ sink }) => !isLatest(sink)) ? "points" : "latest";
}

/** Ends the sinks that are changed or removed, and sets the new ones up; puts the old ones back when one cannot be. */
async function exchangeSinks(
  before: Parts,
  made: readonly SinkAtWork[],
  { changed, removed }: Difference,
  world: ApplyWorld,
): Promise<void> {
  const leaving = before.sinks.filter(({ sink }) => changed.includes(sink.id) || removed.includes(sink.id));
  // The old ones go first: a file or a port may be had only once.
  await Promise.all(leaving.map((sink) => leaveSink(sink, world)));
  const ready: SinkAtWork[] = [];
  try {
    for (const sink of made) {
      await setUp(sink, ready, world);
      carryOver(find(before.sinks, sink.sink.id), sink);
    }
    const places = made.map(({ placed }) => placed);
    await placeNew(world.journal, places, world.now);
  } catch (error) {
    for (const sink of ready) await closeSink(sink, world.log);
    // Of several new ones some may have got a position, which nothing would move.
    await dropLater(
      before.sinks.map(({ sink }) => sink),
      world,
    );
    const back = leaving.map(({ resolved }) => world.makeSink(resolved));
    for (const sink of back) {
      carryOver(find(before.sinks, sink.sink.id), sink);
      sink.start();
    }
    world.use({ ...before, sinks: before.sinks.map((old) => find(back, old.sink.id) ?? old) });
    throw error;
  }
}

/** One that throws when it is asked what it serves is not taken either; it has been set up, and is to be closed. */
async function setUp(sink: SinkAtWork, ready: SinkAtWork[], { log }: ApplyWorld): Promise<void> {
  const ms = sink.sink.timeoutMs;
  try {
    const done = sink.setup();
    if (!(await within(ms, done))) {
      // What it takes all the same, such as a port, would be in the way of the next.
      done.then(() => closeSink(sink, log)).catch(() => undefined);
      throw new Error(`it has not ended after ${ms / 1000} s`);
    }
    ready.push(sink);
    sink.routes();
  } catch (cause) {
    throw new ConfigError(`Cannot set up the sink "${sink.sink.id}": ${messageOf(cause)}`, [], { cause });
  }
}

/** What cannot be freed now is freed after the next reload or start. */
async function dropLater(sinks: readonly { readonly id: string }[], { journal, log }: ApplyWorld): Promise<void> {
  await dropGone(journal, sinks, log).catch((error) =>
    log.error("What waits for a removed sink cannot be dropped", { reason: messageOf(error) }),
  );
}

/** Counters and what has arrived go on, readiness keeps its memory; what was wrong before may be right now. */
function carryOver(before: SinkAtWork | undefined, after: SinkAtWork): void {
  if (!before) return;
  Object.assign(after.sink.status.requests, before.sink.status.requests);
  after.sink.status.requestMs = before.sink.status.requestMs;
  after.sink.status.lastSuccess = before.sink.status.lastSuccess;
  after.sink.partial = before.sink.partial;
}

/** The request under way is finished, so that nothing is sent twice; one that hangs is cut. */
async function leaveSink(sink: SinkAtWork, { leaveMs, log }: ApplyWorld): Promise<void> {
  sink.leave.abort();
  if (!(await within(leaveMs, sink.ended()))) {
    sink.stop.abort();
    await sink.ended();
  }
  await closeSink(sink, log);
}

async function leaveSource(source: SourceAtWork, { leaveMs, log }: ApplyWorld): Promise<void> {
  source.stop();
  if (await within(leaveMs, source.ended())) return;
  log.warn("A source does not end and is left", { source: source.active.entry.id });
}

/** A source that cannot be made is a mistake before anything has changed. */
function madeOnce(entry: ResolvedEntry<Source>): ResolvedEntry<Source> {
  let first: Source | undefined = entry.create();
  return {
    ...entry,
    create() {
      const source = first ?? entry.create();
      first = undefined;
      return source;
    },
  };
}

function allChanged({ kept, changed, ...rest }: Difference): Difference {
  return { ...rest, kept: [], changed: [...kept, ...changed] };
}

function find(sinks: readonly SinkAtWork[], id: string): SinkAtWork | undefined {
  return sinks.find(({ sink }) => sink.id === id);
}
