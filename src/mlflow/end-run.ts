import type { Draft } from "./draft.ts";
import type { RunState } from "./run-state.ts";
import type { Session } from "./session.ts";
import { setWatch } from "./watch.ts";

/** Ends a run that MLflow shows no more as a deleted one; `forget` says that it is gone for good. */
export function endRun({ collector, ctx }: Session, run: RunState, draft: Draft, forget: boolean): void {
  if (run.deleted && !forget) return;
  const effect = () =>
    collector.counts.around(run, false, () => {
      run.ended = true;
      run.deleted = true;
      collector.unreadable.forget(run.run.id);
      setWatch(ctx.state, run.run.id, undefined);
      ctx.state.set(`deleted/${run.run.id}`, run.run.experiment.id);
    });
  draft.add({ state: run, effect, forget, ...(!run.deleted && { ended: { ...run.run, deleted: true } }) });
}
