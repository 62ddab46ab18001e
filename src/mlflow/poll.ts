import type { Batch } from "../model/batch.ts";
import type { RunAnswer } from "./answers.ts";
import { lookUp } from "./look-up.ts";
import { readRuns } from "./read-runs.ts";
import { meetNew } from "./refresh.ts";
import { liveFilter, type RunSearch, searchRuns } from "./runs.ts";
import type { Session } from "./session.ts";
import { watched } from "./watch.ts";

/**
 * Reads what has changed since the last poll (mlflow.md § 5): live runs, runs that ended lately, and those of the last
 * poll that are in neither. Two requests when nothing has happened. `recent` holds the runs that the last poll found
 * ended, with the end's time, and then those of this one.
 */
export async function* pollRuns(session: Session, recent: Map<string, number>): AsyncGenerator<Batch> {
  const { ctx, limits } = session;
  const mark = readMark(session);
  const since = Math.max(0, Math.floor(mark - limits.graceMs));
  const seen = new Set<string>();
  const ended = new Map<string, number>();
  yield* readFound(session, { filter: liveFilter }, ({ info }) => void seen.add(info.run_id));
  // An end of another century would be found at each poll for ever.
  const until = Math.ceil(session.serverNow() + aheadMs);
  const ends = `attributes.end_time >= ${since} AND attributes.end_time <= ${until}`;
  const lately = { filter: ends, order: "attributes.end_time ASC" };
  yield* readFound(session, lately, ({ info }) => {
    seen.add(info.run_id);
    ended.set(info.run_id, info.end_time ?? 0);
  });
  const before = [...recent].filter(([, end]) => end >= since).map(([id]) => id);
  const missing = new Set([...watchedRuns(session), ...before]).difference(seen);
  yield* lookUp(session, [...missing]);

  ctx.state.set("mark", String(nextMark(session, mark, ended.values())));
  ctx.state.set("polled", String(session.serverNow()));
  recent.clear();
  for (const [id, end] of ended) recent.set(id, end);
}

/** How far ahead a client's clock may be; what ends later by its own is found as one that has gone, or by the sweep. */
const aheadMs = 86_400_000;

/** Reads a search page by page, so that no more than that is held. */
async function* readFound(
  session: Session,
  search: Omit<RunSearch, "experiments">,
  onFound: (answer: RunAnswer) => void,
): AsyncGenerator<Batch> {
  const experiments = [...session.experiments.keys(), ...session.nextExperiments()];
  for await (const page of searchRuns(session.client, { ...search, experiments })) {
    yield* meetNew(session, page);
    const answers = page.filter(({ info }) => session.experiments.has(info.experiment_id));
    for (const answer of answers) onFound(answer);
    yield* readRuns(session, answers);
  }
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
export function readMark({ ctx, serverNow }: Session): number {
  const stored = ctx.state.get("mark");
  const now = serverNow();
  if (typeof stored === "string") return Math.min(Number(stored), now);
  ctx.state.set("mark", String(now));
  return now;
}

/** Clients' clocks may run ahead: the mark never passes the server's. */
function nextMark({ serverNow }: Session, mark: number, ends: Iterable<number>): number {
  let newest = 0;
  for (const end of ends) newest = Math.max(newest, end);
  return Math.max(mark, Math.min(newest, serverNow()));
}
