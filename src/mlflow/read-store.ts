import type { Batch } from "../model/batch.ts";
import { markRead } from "./backlog.ts";
import { createFacts } from "./facts.ts";
import { createFullPass } from "./full-pass.ts";
import { lookUp } from "./look-up.ts";
import { readMark } from "./poll.ts";
import { refreshExperiments, warnOfNothing } from "./refresh.ts";
import { knownRuns } from "./run-state.ts";
import type { Session } from "./session.ts";

/** Reads all there is, for `ctx.once`. Throws `MlflowError` when MLflow cannot be read after a few attempts. */
export async function* readStore(session: Session): AsyncGenerator<Batch> {
  const facts = createFacts();
  readMark(session);
  session.ctx.state.set("polled", String(session.serverNow()));
  yield* refreshExperiments(session);
  warnOfNothing(session);
  const pass = createFullPass(session, [...session.experiments.keys()]);
  yield* pass.readOn(() => false);
  yield* lookUp(session, lostRuns(session, pass.met));
  markRead(session, pass.experiments);
  yield* facts.changed(session, await facts.models(session), true);
}

/** Known runs that a whole listing did not show. */
function lostRuns({ ctx, experiments }: Session, met: ReadonlySet<string>): string[] {
  const lost: string[] = [];
  for (const { run, deleted } of knownRuns(ctx.state)) {
    if (!deleted && !met.has(run.id) && experiments.has(run.experiment.id)) lost.push(run.id);
  }
  return lost;
}
