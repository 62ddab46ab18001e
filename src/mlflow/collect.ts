import type { Batch } from "../model/batch.ts";
import type { Log } from "../model/log.ts";
import type { Run } from "../model/run.ts";
import type { State } from "../model/state.ts";
import type { BulkReader, BulkWindow } from "./bulk.ts";
import type { Counts } from "./counts.ts";
import type { Draft } from "./draft.ts";
import { cut, type Piece, readTail, unread } from "./history.ts";
import type { HistoryPages } from "./history-page.ts";
import { loadKnown } from "./known.ts";
import type { Plan } from "./plan.ts";
import { type Point, samePoint, toSample } from "./points.ts";
import { readAhead } from "./read-ahead.ts";
import { advance, type SeriesState, unseen } from "./run-state.ts";
import { isTerminal } from "./seen-run.ts";
import type { Unreadable } from "./unreadable.ts";
import { setWatch, type Watch, watchOf } from "./watch.ts";

/** Everything that reading runs needs. */
export interface Collector {
  readonly state: State;
  readonly counts: Counts;
  readonly pages: HistoryPages;
  readonly bulk: BulkReader;
  /** Whether `bulk` gives points in the order of `get-history`; else the next reading compares the whole list. */
  readonly bulkInOrder: boolean;
  readonly unreadable: Unreadable;
  readonly include: "history" | "latest";
  /** Series read ahead of the one whose turn it is. */
  readonly concurrency: number;
  /** Unix ms until which a run that ends now is looked at again, by the server's clock. */
  graceUntil(endTime: number | undefined): number | undefined;
  readonly log: Log;
}

/** Starts to read what the plans want in bulk; called a page ahead, so that the server is never waited for in vain. */
export function startBulk({ bulk, include }: Collector, plans: readonly Plan[]): BulkWindow | undefined {
  if (include === "latest") return undefined;
  const series = plans.flatMap(({ seen, state, wanted }) =>
    wanted
      .filter(([key]) => (state.series.get(key)?.emitted ?? 0) === 0)
      .map(([key, latest]) => ({ run: seen.run.id, key, latest })),
  );
  return bulk.start(series);
}

/**
 * Puts what the plans say into the draft, in their order whatever answers first, and yields a batch each time it is
 * full. The rest stays in the draft, for the caller.
 */
export async function* collect(
  collector: Collector,
  plans: readonly Plan[],
  draft: Draft,
  window?: BulkWindow,
): AsyncGenerator<Batch> {
  if (collector.include === "latest") {
    for (const plan of plans) {
      addRun(collector, draft, plan);
      for (const [key, latest] of plan.wanted) {
        if (draft.isFullWith(1)) yield draft.take();
        const at = plan.state.series.get(key) ?? unseen;
        const effect = () => void plan.state.series.set(key, { ...at, latest });
        draft.add({ samples: [toSample(key, latest, plan.seen.run)], state: plan.state, effect });
      }
      addEnd(collector, draft, plan);
    }
    return;
  }
  const tasks = plans.flatMap((plan) => plan.wanted.map(([key, latest]) => ({ plan, key, latest })));
  const streams = readAhead(tasks, collector.concurrency, (task) => open(collector, task, window));
  try {
    for (const plan of plans) {
      addRun(collector, draft, plan);
      for (const [key, latest] of plan.wanted) {
        const stream = streams.next();
        if (stream) yield* readSeries(collector, { plan, key, latest }, stream, draft);
      }
      if (draft.isFullWith(0)) yield draft.take();
      addEnd(collector, draft, plan);
    }
  } finally {
    streams.close();
  }
}

interface Task {
  readonly plan: Plan;
  readonly key: string;
  readonly latest: Point;
}

const readings = 3;

async function* readSeries(
  collector: Collector,
  task: Task,
  first: AsyncGenerator<Piece, boolean>,
  draft: Draft,
): AsyncGenerator<Batch> {
  const { plan, key, latest } = task;
  const remember = (change: Partial<SeriesState>) => {
    const effect = () => void plan.state.series.set(key, { ...(plan.state.series.get(key) ?? unseen), ...change });
    draft.add({ state: plan.state, effect });
  };
  let stream = first;
  for (let reading = 1; ; reading++) {
    let step = await nextPiece(collector, task, stream);
    for (; !step.done; step = await nextPiece(collector, task, stream)) {
      const { points, after } = step.value;
      if (draft.isFullWith(points.length)) yield draft.take();
      draft.add({
        samples: points.map((point) => toSample(key, point, plan.seen.run)),
        state: plan.state,
        effect: () => advance(collector.state, plan.state, key, points, after),
      });
    }
    if (step.value === "unreadable") {
      // Without its latest point it is wanted until it was read, also after a restart.
      if (plan.state.series.get(key)?.latest) remember({ latest: undefined });
      return;
    }
    if (step.value === "whole") break;
    // It changed while it was read: what was emitted must be remembered before it is compared. Next poll goes on.
    if (reading >= readings) return;
    if (!draft.isEmpty()) yield draft.take();
    stream = open(collector, task, undefined);
  }
  if (!samePoint(plan.state.series.get(key)?.latest, latest)) remember({ latest });
}

/** How the reading of a series ended: at its end, at a change amid the list, or at a refusal. */
type Ending = "whole" | "changed" | "unreadable";

async function nextPiece(
  { log, unreadable }: Collector,
  { plan, key }: Task,
  stream: AsyncGenerator<Piece, boolean>,
): Promise<IteratorResult<Piece, Ending>> {
  const series = { run: plan.seen.run.id, key };
  try {
    const step = await stream.next();
    if (!step.done) return step;
    unreadable.wasRead(series);
    return { done: true, value: step.value ? "whole" : "changed" };
  } catch (error) {
    if (!unreadable.takes(series, error)) throw error;
    if (unreadable.isFirst(series)) {
      log.warn("Cannot read a series, will try again", { run: series.run, metric: key, reason: error.message });
    }
    return { done: true, value: "unreadable" };
  }
}

async function* open(
  { state, pages, bulkInOrder }: Collector,
  { plan, key }: Task,
  window: BulkWindow | undefined,
): AsyncGenerator<Piece, boolean> {
  const series = { run: plan.seen.run.id, key };
  const at = plan.state.series.get(key) ?? unseen;
  const whole = at.emitted === 0 ? await window?.take(series) : undefined;
  if (whole) {
    for (const { points, after } of cut(whole, unread)) {
      yield { points, after: bulkInOrder ? after : { ...after, last: undefined } };
    }
    return true;
  }
  return yield* readTail(pages, series, at, () => loadKnown(state, series, at.emitted));
}

function addRun(
  { counts, state: memory }: Collector,
  draft: Draft,
  { seen, facts, state, isNew, changed, restored }: Plan,
): void {
  if (!changed || seen.deleted) return;
  const effect = () =>
    counts.around(state, isNew, () => {
      state.run = seen.run;
      state.facts = facts;
      if (!restored) return;
      state.ended = false;
      state.deleted = false;
      memory.delete(`deleted/${seen.run.id}`);
    });
  const samples = restored ? seen.latest.map(([key, point]) => toSample(key, point, seen.run)) : [];
  draft.add({ ran: seen.run, restored: samples, state, effect });
}

function addEnd(collector: Collector, draft: Draft, { seen, state, ends }: Plan): void {
  const { run } = seen;
  if (ends === "no") {
    const before = watchOf(collector.state, run.id);
    const isDone = before !== "retry" && !collector.unreadable.has(run.id);
    const watch = !isTerminal(run.status) ? "live" : isDone ? before : afterEnd(collector, run);
    if (watch !== before) draft.add({ state, effect: () => setWatch(collector.state, run.id, watch) });
    return;
  }
  const deleted = ends === "deleted";
  const effect = () =>
    collector.counts.around(state, false, () => {
      state.ended = true;
      state.deleted = deleted;
      if (deleted) collector.state.set(`deleted/${run.id}`, run.experiment.id);
      setWatch(collector.state, run.id, deleted ? undefined : afterEnd(collector, run));
    });
  draft.add({ ended: deleted ? { ...run, deleted } : run, state, effect });
}

function afterEnd({ unreadable, graceUntil }: Collector, { id, endTime }: Run): Watch | undefined {
  return unreadable.has(id) ? "retry" : graceUntil(endTime);
}
