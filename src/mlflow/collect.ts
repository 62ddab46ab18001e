import type { Batch } from "../model/batch.ts";
import type { Run } from "../model/run.ts";
import type { BulkWindow } from "./bulk.ts";
import type { Collector } from "./collector.ts";
import type { Draft } from "./draft.ts";
import type { Plan } from "./plan.ts";
import { toSample } from "./points.ts";
import { readAhead } from "./read-ahead.ts";
import { openSeries, readSeries } from "./read-series.ts";
import { unseen } from "./run-state.ts";
import { isTerminal } from "./seen-run.ts";
import { setWatch, type Watch, watchOf } from "./watch.ts";

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
        // What was logged before it is missed, which a reading of the history has to find.
        const effect = () => void plan.state.series.set(key, { ...at, verified: 0, latest });
        draft.add({ samples: [toSample(key, latest, plan.seen.run)], state: plan.state, effect });
      }
      addEnd(collector, draft, plan);
    }
    return;
  }
  const tasks = plans.flatMap((plan) => plan.wanted.map(([key, latest]) => ({ plan, key, latest })));
  const streams = readAhead(tasks, collector.concurrency, (task) => openSeries(collector, task, window));
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
