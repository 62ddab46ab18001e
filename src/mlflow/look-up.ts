import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { endRun } from "./end-run.ts";
import { chooseExperiments } from "./experiments.ts";
import { readRuns } from "./read-runs.ts";
import { loadRun } from "./run-state.ts";
import { findById } from "./runs.ts";
import type { Session } from "./session.ts";

/** Asks for runs by their ids, reads what is new of them, and ends those that are gone. */
export async function* lookUp(session: Session, ids: readonly string[], deep?: "all"): AsyncGenerator<Batch> {
  for (let at = 0; at < ids.length; at += 100) {
    const asked = ids.slice(at, at + 100);
    const answers = await findById(session.client, [...session.experiments.keys()], asked);
    yield* readRuns(session, answers, deep);
    yield* endAbsent(session, asked, answers);
  }
}

/** Ends the runs that no search shows any more, unless it is their experiment that has gone: then they may come back. */
export async function* endAbsent(
  session: Session,
  asked: readonly string[],
  answers: readonly RunAnswer[],
): AsyncGenerator<Batch> {
  const found = new Set(answers.map(({ info }) => info.run_id));
  const absent = asked.filter((id) => !found.has(id));
  if (absent.length === 0) return;
  const chosen = await chooseExperiments(session.client, session.options, session.known);
  const draft = session.draft();
  for (const id of absent) {
    const run = loadRun(session.ctx.state, id);
    const experiment = run?.run.experiment.id ?? "";
    if (run && session.experiments.has(experiment) && chosen.has(experiment)) endRun(session, run, draft, true);
  }
  if (!draft.isEmpty()) yield draft.take();
}
