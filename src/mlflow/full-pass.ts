import type { Batch } from "../model/batch.ts";
import { collectGarbage } from "../runtime/collect-garbage.ts";
import type { RunAnswer } from "./answers.ts";
import type { BulkWindow } from "./bulk.ts";
import { collect, startBulk } from "./collect.ts";
import type { Draft } from "./draft.ts";
import { inOrder, type Plan, planRun } from "./plan.ts";
import { loadRun } from "./run-state.ts";
import { searchRuns } from "./runs.ts";
import { isTerminal, readRun } from "./seen-run.ts";
import type { Session } from "./session.ts";
import { watchOf } from "./watch.ts";

/**
 * Reads every run of the given experiments, oldest first, and what is not known of it yet: a first sync, a new
 * experiment, or `ctx.once`. Adds the ids it met to `met`; the rest of the last batch stays in the draft.
 */
export async function* readAll(
  session: Session,
  experiments: readonly string[],
  draft: Draft,
  met: Set<string> = new Set(),
): AsyncGenerator<Batch> {
  const { collector, ctx } = session;
  let pending: (Portion & { readonly window: BulkWindow | undefined }) | undefined;
  let done = 0;
  const finish = async function* (): AsyncGenerator<Batch> {
    if (!pending) return;
    yield* collect(collector, pending.plans, draft, pending.window);
    // Its answers would stand beside those of the portions that follow.
    if (pending.points > manyPoints) collectGarbage();
    done += pending.plans.length;
    ctx.progress({ done, total: Math.max(done, met.size), unit: "runs" });
  };
  for await (const portion of portions(session, experiments, met)) {
    // The server reads this portion's series while those of the one before are put into batches.
    const window = startBulk(collector, portion.plans);
    yield* finish();
    pending = { ...portion, window };
  }
  yield* finish();
}

/** The runs that need reading, in portions of at most so many points as their steps let expect. */
async function* portions(session: Session, experiments: readonly string[], met: Set<string>): AsyncGenerator<Portion> {
  for await (const page of searchRuns(session.client, { experiments, pageSize: runsAtOnce })) {
    const fresh = page.filter(({ info }) => !met.has(info.run_id));
    for (const { info } of fresh) met.add(info.run_id);
    let portion: Plan[] = [];
    let points = 0;
    for (const plan of plansOf(session, fresh)) {
      const expected = plan.wanted.reduce((sum, [, latest]) => sum + clampedSteps(Number(latest.step)), 0);
      if (portion.length > 0 && points + expected > pointsAtOnce) {
        yield { plans: portion, points };
        portion = [];
        points = 0;
      }
      portion.push(plan);
      points += expected;
    }
    if (portion.length > 0) yield { plans: portion, points };
  }
}

/** Plans for answers of a search, in the one order of runs. */
export function plansOf(session: Session, answers: readonly RunAnswer[], deep?: ReadonlySet<string> | "all"): Plan[] {
  const { collector, ctx, experiments, options } = session;
  const { include, unreadable } = collector;
  const plans = answers.flatMap((answer) => {
    const seen = readRun(answer, experiments, options.systemMetrics);
    const known = loadRun(ctx.state, seen.run.id);
    // A call that reads once has no sweep: what may still change is compared to its end.
    const run = seen.run.id;
    const watch = watchOf(ctx.state, run);
    const mayChange = !isTerminal(seen.run.status) || watch !== undefined;
    const plan = planRun(seen, known, {
      include,
      deep: ctx.once && mayChange ? "all" : deep,
      isWaiting: (key) => unreadable.isWaiting({ run, key }),
      isRetried: watch === "retry" && !unreadable.isRunWaiting(run),
    });
    return plan ?? [];
  });
  return inOrder(plans);
}

/** As many as the bulk endpoint takes at once. */
const runsAtOnce = 100;
/** Two portions are held at a time: that is most of the memory of a first sync. */
const pointsAtOnce = 100_000;
/** What fewer points leave behind is not worth the 20 ms. */
const manyPoints = 50_000;

interface Portion {
  readonly plans: readonly Plan[];
  /** As many as its steps let expect. */
  readonly points: number;
}

/** Steps usually count points; one that is absurd says nothing. */
function clampedSteps(step: number): number {
  return Math.min(Math.max(step + 1, 1), 10_000);
}
