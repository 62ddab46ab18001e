import type { Batch } from "../model/batch.ts";
import { collectGarbage } from "../runtime/collect-garbage.ts";
import type { RunAnswer } from "./answers.ts";
import type { BulkWindow } from "./bulk.ts";
import { collect, startBulk } from "./collect.ts";
import type { Plan } from "./plan.ts";
import { plansOf } from "./read-runs.ts";
import { findById, searchRuns } from "./runs.ts";
import type { Session } from "./session.ts";

/** Goes once through every run of some experiments, oldest first, and reads what is not known of it yet. */
export interface FullPass {
  readonly experiments: readonly string[];
  /** The ids it has met. */
  readonly met: ReadonlySet<string>;
  /**
   * Reads on, a portion at least, until something else is due; returns true at the end, each time with everything
   * emitted. In between polls may read the same runs.
   */
  readOn(isDue: () => boolean): AsyncGenerator<Batch, boolean>;
}

/** Begins one; a first sync, experiments that are new, or `ctx.once`. */
export function createFullPass(session: Session, experiments: readonly string[]): FullPass {
  const { client, collector, ctx } = session;
  const met = new Set<string>();
  // Deleted runs are listed too: one that is deleted now would move all that follow, and one be passed over.
  const pages = searchRuns(client, { experiments, view: "ALL", pageSize: runsAtOnce });
  let answers: readonly RunAnswer[] = [];
  let isEnded = false;

  async function nextPortion(): Promise<Portion | undefined> {
    for (;;) {
      const portion = takePortion();
      if (portion) return portion;
      const page = await pages.next();
      if (page.done) {
        isEnded = true;
        return undefined;
      }
      answers = inOrder(page.value.filter(({ info }) => !met.has(info.run_id)));
      for (const { info } of answers) met.add(info.run_id);
    }
  }

  /** The next runs that need reading, as many as are not expected to hold too many points together. */
  function takePortion(): Portion | undefined {
    const plans: Plan[] = [];
    let points = 0;
    let taken = 0;
    for (const answer of answers) {
      const [plan] = plansOf(session, [answer]);
      const expected = plan ? expectedPoints(plan) : 0;
      if (plans.length > 0 && points + expected > pointsAtOnce) break;
      if (plan) plans.push(plan);
      points += expected;
      taken += 1;
    }
    answers = answers.slice(taken);
    if (plans.length === 0) return undefined;
    return { plans, points, window: startBulk(collector, plans), read: met.size - answers.length };
  }

  return {
    experiments,
    met,
    async *readOn(isDue) {
      // Asked anew: an answer from before would bring back what polls have read otherwise since.
      const ids = answers.map(({ info }) => info.run_id);
      if (ids.length > 0) answers = inOrder(await findById(client, experiments, ids));
      const draft = session.draft();
      let portion = await nextPortion();
      while (portion) {
        // The server reads the next portion's series while those of this one are put into batches.
        const next: Portion | undefined = isDue() ? undefined : await nextPortion();
        yield* collect(collector, portion.plans, draft, portion.window);
        // Its answers would stand beside those of the portions that follow.
        if (portion.points > manyPoints) collectGarbage();
        ctx.progress({ done: portion.read, unit: "runs" });
        portion = next;
      }
      if (!draft.isEmpty()) yield draft.take();
      if (isEnded) ctx.progress({ done: met.size, total: met.size, unit: "runs" });
      return isEnded;
    },
  };
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
  readonly window: BulkWindow | undefined;
  /** How many runs have been met up to its end. */
  readonly read: number;
}

function inOrder(answers: readonly RunAnswer[]): readonly RunAnswer[] {
  return answers.toSorted(({ info: a }, { info: b }) => a.start_time - b.start_time || (a.run_id < b.run_id ? -1 : 1));
}

/** Steps usually count points; one that is absurd says nothing. */
function expectedPoints({ wanted }: Plan): number {
  return wanted.reduce((sum, [, { step }]) => sum + Math.min(Math.max(Number(step) + 1, 1), 10_000), 0);
}
