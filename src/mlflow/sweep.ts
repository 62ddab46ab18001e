import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { collect } from "./collect.ts";
import { plansOf } from "./full-pass.ts";
import { endAbsent } from "./poll.ts";
import { findById, liveFilter, type RunSearch, searchRuns } from "./runs.ts";
import { readRun } from "./seen-run.ts";
import type { Session } from "./session.ts";

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
  const live = cursor({ filter: liveFilter, pageSize: 20 });
  const all = cursor({ pageSize: 20 });
  const turns = [light, live, light, all];
  const queues = new Map([live, all].map((each) => [each, [] as SeriesTurn[]]));
  let turn = 0;

  async function* readPage(session: Session): AsyncGenerator<Batch> {
    const page = await light.next(session);
    if (page) yield* emit(session, page);
    else yield* forgetRemoved(session);
  }

  async function* readSeries(session: Session, from: Cursor, queue: SeriesTurn[]): AsyncGenerator<Batch> {
    if (queue.length === 0) {
      const page = await from.next(session);
      queue.push(...(page ?? []).flatMap((answer) => seriesOf(session, answer)));
    }
    const some = queue.splice(0, seriesAtOnce);
    if (some.length === 0) return;
    // Asked anew: an answer that has waited its turn would bring back old facts.
    const answers = await findById(
      session.client,
      [...session.experiments.keys()],
      [...new Set(some.map(({ run }) => run))],
    );
    const keys = new Set(some.map(({ key }) => key));
    yield* emit(session, answers, keys);
  }

  return {
    async *step(session) {
      if (session.experiments.size === 0) return;
      const due = dueRuns(session);
      if (due.length > 0) return yield* endGrace(session, due);
      const now = turns[turn++ % turns.length] ?? light;
      const queue = queues.get(now);
      if (!queue) yield* readPage(session);
      else if (session.collector.include === "history") yield* readSeries(session, now, queue);
    },
  };
}

interface SeriesTurn {
  readonly run: string;
  readonly key: string;
}

interface Cursor {
  /** The next page, nothing at the end of a round. */
  next(session: Session): Promise<readonly RunAnswer[] | undefined>;
}

const seriesAtOnce = 4;
const runsInGraceAtOnce = 4;

/** Walks through a search, a page a call, and starts again after its end or a failure. */
function cursor(search: Omit<RunSearch, "experiments">): Cursor {
  let pages: AsyncGenerator<readonly RunAnswer[]> | undefined;
  let owner: Session | undefined;
  return {
    async next(session) {
      if (!pages || owner !== session) {
        pages = searchRuns(session.client, { ...search, experiments: [...session.experiments.keys()] });
        owner = session;
      }
      const running = pages;
      pages = undefined;
      const step = await running.next();
      if (step.done) return undefined;
      pages = running;
      return step.value;
    },
  };
}

async function* emit(
  session: Session,
  answers: readonly RunAnswer[],
  deep?: ReadonlySet<string> | "all",
): AsyncGenerator<Batch> {
  const draft = session.draft();
  yield* collect(session.collector, plansOf(session, answers, deep), draft);
  if (!draft.isEmpty()) yield draft.take();
}

function seriesOf({ experiments, options }: Session, answer: RunAnswer): SeriesTurn[] {
  const { run, latest } = readRun(answer, experiments, options.systemMetrics);
  return latest.map(([key]) => ({ run: run.id, key }));
}

/** Runs whose grace is over. */
function dueRuns({ ctx, serverNow }: Session): string[] {
  const now = serverNow();
  return [...ctx.state.scan("live/")]
    .filter(([, until]) => typeof until === "string" && until !== "" && Number(until) <= now)
    .slice(0, runsInGraceAtOnce)
    .map(([name]) => name.slice("live/".length));
}

/** Compares every series of ended runs once more, when late writers have had their time. */
async function* endGrace(session: Session, ids: readonly string[]): AsyncGenerator<Batch> {
  const answers = await findById(session.client, [...session.experiments.keys()], ids);
  for (const id of ids) session.ctx.state.delete(`live/${id}`);
  yield* emit(session, answers, "all");
}

/** Forgets deleted runs that MLflow has removed for good; called after each round. */
async function* forgetRemoved(session: Session): AsyncGenerator<Batch> {
  const deleted = [...session.ctx.state.scan("deleted/")].map(([name]) => name.slice("deleted/".length)).slice(0, 1000);
  if (deleted.length === 0) return;
  const answers = await findById(session.client, [...session.experiments.keys()], deleted);
  const draft = session.draft();
  await endAbsent(session, deleted, new Set(answers.map(({ info }) => info.run_id)), draft);
  if (!draft.isEmpty()) yield draft.take();
}
