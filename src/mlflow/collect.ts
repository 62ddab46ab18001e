import type { Batch } from "../model/batch.ts";
import type { Log } from "../model/log.ts";
import type { State } from "../model/state.ts";
import type { BulkReader, BulkWindow } from "./bulk.ts";
import type { Counts } from "./counts.ts";
import type { Draft } from "./draft.ts";
import { cut, type Piece, readTail, unread } from "./history.ts";
import type { HistoryPages } from "./history-page.ts";
import { loadKnown } from "./known.ts";
import { MlflowError } from "./mlflow-error.ts";
import type { Plan } from "./plan.ts";
import { type Point, samePoint, toSample } from "./points.ts";
import { readAhead } from "./read-ahead.ts";
import { advance, unseen } from "./run-state.ts";
import { isTerminal } from "./seen-run.ts";

/** Everything that reading runs needs. */
export interface Collector {
  readonly state: State;
  readonly counts: Counts;
  readonly pages: HistoryPages;
  /** Absent where the store's order of points is not known. */
  readonly bulk: BulkReader | undefined;
  readonly include: "history" | "latest";
  /** Series read ahead of the one whose turn it is. */
  readonly concurrency: number;
  /** Unix ms until which a run that ends now is looked at again, by the server's clock. */
  graceUntil(endTime: number | undefined): number | undefined;
  readonly log: Log;
}

/** Starts to read what the plans want in bulk; called a page ahead, so that the server is never waited for in vain. */
export function startBulk({ bulk, include }: Collector, plans: readonly Plan[]): BulkWindow | undefined {
  if (!bulk || include === "latest") return undefined;
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
    if (step.value) break;
    // It changed while it was read: what was emitted must be remembered before it is compared. Next poll goes on.
    if (reading >= readings) return;
    if (!draft.isEmpty()) yield draft.take();
    stream = open(collector, task, undefined);
  }
  const effect = () => void plan.state.series.set(key, { ...(plan.state.series.get(key) ?? unseen), latest });
  if (!samePoint(plan.state.series.get(key)?.latest, latest)) draft.add({ state: plan.state, effect });
}

/** A run that is gone or forbidden by now has no more pieces; the next poll or sweep tells what became of it. */
async function nextPiece(
  { log }: Collector,
  { plan, key }: Task,
  stream: AsyncGenerator<Piece, boolean>,
): Promise<IteratorResult<Piece, boolean>> {
  try {
    return await stream.next();
  } catch (error) {
    if (!(error instanceof MlflowError) || (error.trouble !== "gone" && error.trouble !== "permission")) throw error;
    log.warn("Cannot read a series", { run: plan.seen.run.id, metric: key, reason: error.message });
    return { done: true, value: true };
  }
}

async function* open(
  { state, pages }: Collector,
  { plan, key }: Task,
  window: BulkWindow | undefined,
): AsyncGenerator<Piece, boolean> {
  const series = { run: plan.seen.run.id, key };
  const at = plan.state.series.get(key) ?? unseen;
  const whole = at.emitted === 0 ? await window?.take(series) : undefined;
  if (whole) {
    yield* cut(whole, unread);
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
  const mark = `live/${run.id}`;
  if (ends === "no") {
    if (!isTerminal(run.status) && collector.state.get(mark) !== "") {
      draft.add({ state, effect: () => collector.state.set(mark, "") });
    }
    return;
  }
  const deleted = ends === "deleted";
  const effect = () =>
    collector.counts.around(state, false, () => {
      state.ended = true;
      state.deleted = deleted;
      const until = deleted ? undefined : collector.graceUntil(run.endTime);
      if (deleted) collector.state.set(`deleted/${run.id}`, run.experiment.id);
      if (until === undefined) collector.state.delete(mark);
      else collector.state.set(mark, String(until));
    });
  draft.add({ ended: deleted ? { ...run, deleted } : run, state, effect });
}
