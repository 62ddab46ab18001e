import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { createForgetting } from "./forget.ts";
import { lookUp } from "./look-up.ts";
import { MlflowError } from "./mlflow-error.ts";
import { readRuns } from "./read-runs.ts";
import { begin, findById, liveFilter, type Place, type RunSearch, searchPage } from "./runs.ts";
import { readRun } from "./seen-run.ts";
import type { Session } from "./session.ts";
import { setWatch, watched, watchOf } from "./watch.ts";

/**
 * Goes round everything slowly, for what polls cannot see (design § 6): changes of ended runs, deletion and restoring,
 * and points that change no latest value. The caller sees to it that all steps take 2 % of the time at most.
 */
export interface Sweep {
  /** One step: a page of runs compared by latest values, or a few series compared to their ends. */
  step(session: Session): AsyncGenerator<Batch>;
}

/** Makes a sweep; one per source, kept when the session is renewed. */
export function createSweep(): Sweep {
  const light = cursor({ view: "ALL", pageSize: 50 });
  // Few as a rule, so that a deletion is found long before the round over all runs comes to it.
  const deleted = cursor({ view: "DELETED_ONLY", pageSize: 50 });
  const live = cursor({ filter: liveFilter, pageSize: 20 });
  const all = cursor({ pageSize: 20 });
  const forgetting = createForgetting();
  const turns = [
    endGrace,
    pages(light),
    series(live),
    endGrace,
    pages(deleted),
    forgetting.step,
    endGrace,
    pages(light),
    series(all),
  ];
  let turn = 0;

  return {
    async *step(session) {
      if (session.experiments.size === 0) {
        yield* forgetting.step(session);
        return;
      }
      for (const _ of turns) {
        const now = turns[turn++ % turns.length];
        if (now && (yield* now(session))) return;
      }
    },
  };
}

/** One kind of step; returns false when there was nothing to do. */
type Turn = (session: Session) => AsyncGenerator<Batch, boolean>;

/** Compares a page of runs by their latest values. */
function pages(from: Cursor): Turn {
  return async function* readPage(session) {
    yield* readRuns(session, await from.next(session));
    return true;
  };
}

/** Compares a few series to their ends. */
function series(from: Cursor): Turn {
  const queue: SeriesTurn[] = [];
  return async function* readSeries(session) {
    if (session.collector.include !== "history") return false;
    if (queue.length === 0) {
      const page = await from.next(session);
      queue.push(...page.flatMap((answer) => seriesOf(session, answer)));
    }
    const some = queue.splice(0, seriesAtOnce);
    if (some.length === 0) return true;
    // Asked anew: an answer that has waited its turn would bring back old facts.
    const answers = await findById(
      session.client,
      [...session.experiments.keys()],
      [...new Set(some.map(({ run }) => run))],
    );
    const keys = new Set(some.map(({ key }) => key));
    yield* readRuns(session, answers, keys);
    return true;
  };
}

interface SeriesTurn {
  readonly run: string;
  readonly key: string;
}

interface Cursor {
  /** The next page of a round; may be empty. */
  next(session: Session): Promise<readonly RunAnswer[]>;
}

const seriesAtOnce = 20;
const runsInGraceAtOnce = 4;
/** Where runs end faster than they can be compared, the round over all finds what these hold. */
const mostInGrace = 1000;

/** Walks through a search again and again, a page a call, and goes on where it was when the session is renewed. */
function cursor(search: Omit<RunSearch, "experiments">): Cursor {
  let place: Place = begin;
  return {
    async next({ client, experiments }) {
      const asked = place;
      // What is refused once may be refused always: then the round begins anew.
      place = begin;
      const { runs, next } = await searchPage(client, { ...search, experiments: [...experiments.keys()] }, asked).catch(
        (error: unknown) => {
          if (error instanceof MlflowError && error.trouble === "transient") place = asked;
          throw error;
        },
      );
      place = next ?? begin;
      return runs;
    },
  };
}

function seriesOf({ experiments, options }: Session, answer: RunAnswer): SeriesTurn[] {
  const { run, latest } = readRun(answer, experiments, options.systemMetrics);
  return latest.map(([key]) => ({ run: run.id, key }));
}

/** Compares every series of some ended runs once more, when late writers have had their time. */
async function* endGrace(session: Session): AsyncGenerator<Batch, boolean> {
  const { collector, ctx } = session;
  const due = dueRuns(session);
  for (const id of due.slice(mostInGrace)) setWatch(ctx.state, id, undefined);
  const ids = due.slice(0, runsInGraceAtOnce);
  yield* lookUp(session, ids, "all");
  // Only now: what fails on the way is due again. Committed with the next batch, whichever that is.
  for (const id of ids) {
    if (typeof watchOf(ctx.state, id) !== "number") continue;
    setWatch(ctx.state, id, collector.unreadable.has(id) ? "retry" : undefined);
  }
  return ids.length > 0;
}

/** Runs whose grace is over; one that would last longer than any was written by a clock that has been set back. */
function dueRuns({ ctx, limits, serverNow }: Session): string[] {
  const now = serverNow();
  return watched(ctx.state)
    .filter(([, until]) => typeof until === "number" && (until <= now || until > now + 2 * limits.graceMs))
    .map(([id]) => id);
}
