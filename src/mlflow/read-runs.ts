import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { collect, startBulk } from "./collect.ts";
import { inOrder, type Plan, planRun } from "./plan.ts";
import { loadRun } from "./run-state.ts";
import { isTerminal, readRun } from "./seen-run.ts";
import type { Session } from "./session.ts";
import { watchOf } from "./watch.ts";

/** Reads what is not known yet of the runs in a page of answers; returns with everything emitted. */
export async function* readRuns(
  session: Session,
  answers: readonly RunAnswer[],
  deep?: ReadonlySet<string> | "all",
): AsyncGenerator<Batch> {
  const { collector } = session;
  const draft = session.draft();
  const plans = plansOf(session, answers, deep);
  yield* collect(collector, plans, draft, startBulk(collector, plans));
  if (!draft.isEmpty()) yield draft.take();
}

/** Plans for answers of a search, in the one order of runs. */
export function plansOf(session: Session, answers: readonly RunAnswer[], deep?: ReadonlySet<string> | "all"): Plan[] {
  const { collector, ctx, experiments, options } = session;
  const { include, unreadable } = collector;
  const plans = answers.flatMap((answer) => {
    // It may be read no more since its runs were asked for.
    if (!experiments.has(answer.info.experiment_id)) return [];
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
