import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { noteExperiments } from "./backlog.ts";
import { endRun } from "./end-run.ts";
import { chooseExperiments, noteExperiment } from "./experiments.ts";
import { knownRuns } from "./run-state.ts";
import type { Session } from "./session.ts";

/** Reads the list of experiments again, and ends the runs of those that have gone. */
export async function* refreshExperiments(session: Session): AsyncGenerator<Batch> {
  const { client, collector, ctx, known, options } = session;
  session.experiments = await chooseExperiments(client, options, known);
  const vanished = noteExperiments(session);
  if (vanished.size > 0) {
    const draft = session.draft();
    let ends = 0;
    for (const run of knownRuns(ctx.state)) {
      if (!vanished.has(run.run.experiment.id)) continue;
      endRun(session, run, draft, false);
      if (++ends % endsAtOnce === 0 && !draft.isEmpty()) yield draft.take();
    }
    if (!draft.isEmpty()) yield draft.take();
  }
  collector.counts.keep(session.experiments.values());
}

/** What is remembered of a run with many series is large. */
const endsAtOnce = 200;

/** Reads the list of experiments again when runs turn up whose experiment it did not hold. */
export async function* meetNew(session: Session, answers: readonly RunAnswer[]): AsyncGenerator<Batch> {
  const ids = new Set(answers.map(({ info }) => info.experiment_id));
  const strange = [...ids].filter((id) => !session.experiments.has(id));
  if (strange.length === 0) return;
  for (const id of strange) noteExperiment(session.known, id);
  yield* refreshExperiments(session);
}

/** To a user without any grant MLflow looks empty: nothing else would show it. */
export function warnOfNothing({ experiments, ctx }: Session): void {
  if (experiments.size > 0) return;
  ctx.log.warn(
    "MLflow shows no experiment to read: unless it is new, check the rights of the user, the workspace, and the options experiments and tags",
  );
}
