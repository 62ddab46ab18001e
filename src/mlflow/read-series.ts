import type { Batch } from "../model/batch.ts";
import type { BulkWindow } from "./bulk.ts";
import type { Collector } from "./collector.ts";
import type { Draft } from "./draft.ts";
import { cut, type Piece, readTail, unread } from "./history.ts";
import { loadKnown } from "./known.ts";
import type { Plan } from "./plan.ts";
import { type Point, samePoint, toSample } from "./points.ts";
import { advance, type SeriesState, unseen } from "./run-state.ts";

/** One series of a planned run that is to be read up to its latest point. */
export interface Task {
  readonly plan: Plan;
  readonly key: string;
  readonly latest: Point;
}

/**
 * Puts the points of a series into the draft and yields a batch each time it is full; `first` is its reading, which may
 * have begun. A list that changes while it is read is read again, three times at most, then at the next poll.
 */
export async function* readSeries(
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
    stream = openSeries(collector, task, undefined);
  }
  if (!samePoint(plan.state.series.get(key)?.latest, latest)) remember({ latest });
}

/** Begins to read a series: by what was read in bulk, else from where its last reading has ended. */
export async function* openSeries(
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

const readings = 3;

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
