import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { collect, startBulk } from "./collect.ts";
import type { Draft } from "./draft.ts";
import { chooseExperiments, noteExperiment } from "./experiments.ts";
import { plansOf, readAll } from "./full-pass.ts";
import { knownRuns, loadRun, type RunState } from "./run-state.ts";
import { findById, findRuns, liveFilter } from "./runs.ts";
import type { Session } from "./session.ts";
import { setWatch, watched } from "./watch.ts";

/**
 * Reads what has changed since the last poll (mlflow.md § 5): live runs, runs that ended lately, and those of the last
 * poll that are in neither. Two requests when nothing has happened.
 */
export async function* pollRuns(session: Session, recent: Map<string, number>): AsyncGenerator<Batch> {
  const { client, collector, ctx, limits } = session;
  const before = session.experiments;
  const experiments = [...before.keys(), ...session.nextExperiments()];
  const mark = readMark(session);
  const since = Math.max(0, Math.floor(mark - limits.graceMs));
  const live = await findRuns(client, { experiments, filter: liveFilter });
  const order = "attributes.end_time ASC";
  const lately = await findRuns(client, { experiments, filter: `attributes.end_time >= ${since}`, order });
  yield* meetNew(session, [...live, ...lately]);
  // What is new has just been read, later than it was found here.
  const isRead = ({ info }: RunAnswer) => before.has(info.experiment_id) && session.experiments.has(info.experiment_id);
  const ended = lately.filter(isRead);
  const answers = new Map([...live.filter(isRead), ...ended].map((answer) => [answer.info.run_id, answer]));

  const missing = [...watchedRuns(session), ...[...recent].filter(([, end]) => end >= since).map(([id]) => id)];
  const gone = [...new Set(missing)].filter((id) => !answers.has(id));
  const found = gone.length > 0 ? await findById(client, [...session.experiments.keys()], gone) : [];
  for (const answer of found) answers.set(answer.info.run_id, answer);

  const draft = session.draft();
  const plans = plansOf(session, [...answers.values()]);
  yield* collect(collector, plans, draft, startBulk(collector, plans));
  await endAbsent(session, gone, new Set(answers.keys()), draft);

  ctx.state.set("mark", String(nextMark(session, mark, ended)));
  if (!draft.isEmpty()) yield draft.take();
  recent.clear();
  for (const { info } of ended) recent.set(info.run_id, info.end_time ?? 0);
}

/** Reads the list of experiments again when one has turned up that it did not hold. */
async function* meetNew(session: Session, answers: readonly RunAnswer[]): AsyncGenerator<Batch> {
  const ids = new Set(answers.map(({ info }) => info.experiment_id));
  const strange = [...ids].filter((id) => !session.experiments.has(id));
  if (strange.length === 0) return;
  for (const id of strange) noteExperiment(session.known, id);
  yield* refreshExperiments(session);
}

/**
 * Reads the list of experiments again: all runs of those that are new, and the end of those that have gone. Returns
 * with everything emitted.
 */
export async function* refreshExperiments(session: Session): AsyncGenerator<Batch> {
  const { client, ctx, known, options } = session;
  readMark(session);
  const chosen = await chooseExperiments(client, options, known);
  session.experiments = chosen;
  const stored = ctx.state.get("experiments");
  const before = new Set<string>(typeof stored === "string" ? JSON.parse(stored) : []);
  const draft = session.draft();
  const vanished = new Set([...before].filter((id) => !chosen.has(id)));
  if (vanished.size > 0) {
    for (const run of knownRuns(ctx.state)) if (vanished.has(run.run.experiment.id)) endRun(session, run, draft, false);
  }
  const added = ctx.once ? [...chosen.keys()] : [...chosen.keys()].filter((id) => !before.has(id));
  const met = new Set<string>();
  if (added.length > 0) yield* readAll(session, added, draft, met);
  if (ctx.once) yield* reconcile(session, met, draft);
  if (added.length > 0 || vanished.size > 0) ctx.state.set("experiments", JSON.stringify([...chosen.keys()]));
  if (!draft.isEmpty()) yield draft.take();
  session.collector.counts.keep(chosen.values());
}

/** Ends the runs that no search shows any more, unless it is their experiment that has gone: then they may come back. */
export async function endAbsent(
  session: Session,
  asked: readonly string[],
  found: ReadonlySet<string>,
  draft: Draft,
): Promise<void> {
  const absent = asked.filter((id) => !found.has(id));
  if (absent.length === 0) return;
  const chosen = await chooseExperiments(session.client, session.options, session.known);
  for (const id of absent) {
    const run = loadRun(session.ctx.state, id);
    if (run && chosen.has(run.run.experiment.id)) endRun(session, run, draft, true);
  }
}

/** Finds out what became of known runs that a whole listing did not show. */
async function* reconcile(session: Session, met: ReadonlySet<string>, draft: Draft): AsyncGenerator<Batch> {
  const lost = [...knownRuns(session.ctx.state)]
    .filter(({ run, deleted }) => !deleted && !met.has(run.id) && session.experiments.has(run.experiment.id))
    .map(({ run }) => run.id);
  if (lost.length === 0) return;
  const answers = await findById(session.client, [...session.experiments.keys()], lost);
  yield* collect(session.collector, plansOf(session, answers), draft);
  await endAbsent(session, lost, new Set(answers.map(({ info }) => info.run_id)), draft);
}

function endRun({ collector, ctx }: Session, run: RunState, draft: Draft, forget: boolean): void {
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

/** Runs that were not terminal when last seen, and those whose turn it is to be read where that failed. */
function watchedRuns({ collector, ctx }: Session): string[] {
  return watched(ctx.state)
    .filter(([id, watch]) => watch === "live" || (watch === "retry" && !collector.unreadable.isRunWaiting(id)))
    .map(([id]) => id);
}

/**
 * Up to when ends of runs are known; set at the first reading, so that later ones find what ends meanwhile. One that
 * lies ahead comes from a clock that has been set back.
 */
function readMark({ ctx, serverNow }: Session): number {
  const stored = ctx.state.get("mark");
  const now = serverNow();
  if (typeof stored === "string") return Math.min(Number(stored), now);
  ctx.state.set("mark", String(now));
  return now;
}

/** Clients' clocks may run ahead: the mark never passes the server's. */
function nextMark({ serverNow }: Session, mark: number, ended: readonly RunAnswer[]): number {
  const newest = ended.reduce((latest, { info }) => Math.max(latest, info.end_time ?? 0), 0);
  return Math.max(mark, Math.min(newest, serverNow()));
}
