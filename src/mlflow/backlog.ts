import type { Batch } from "../model/batch.ts";
import { createFullPass, type FullPass } from "./full-pass.ts";
import type { Session } from "./session.ts";

/** What was never read: at first the whole store, later experiments that are new. One a session. */
export interface Backlog {
  /** Reads on until something else is due, and returns whether all has been read. */
  readOn(isDue: () => boolean): AsyncGenerator<Batch, boolean>;
}

/** Makes it; what was read is remembered in the state, so that it goes on after a restart where it was. */
export function createBacklog(session: Session): Backlog {
  let pass: FullPass | undefined;
  return {
    async *readOn(isDue) {
      for (;;) {
        const experiments = pass?.experiments ?? unreadExperiments(session);
        if (experiments.length === 0) return true;
        pass ??= createFullPass(session, experiments);
        if (!(yield* pass.readOn(isDue))) return false;
        markRead(session, experiments);
        pass = undefined;
      }
    },
  };
}

/**
 * Makes all of the store a backlog when the last poll was long ago, so that live runs need not wait for what has ended
 * meanwhile, and what polls cannot find is found. Called once a session, before its first poll.
 */
export function noteAbsence({ ctx, serverNow }: Session): void {
  const polled = ctx.state.get("polled");
  const now = serverNow();
  if (typeof polled !== "string" || now - Number(polled) < absenceMs) return;
  for (const [name] of [...ctx.state.scan(prefix)]) ctx.state.set(name, "");
  ctx.state.set("mark", String(now));
}

/** Polls catch up with less; to list 1000 runs again costs 3.5 s of the server. */
const absenceMs = 3_600_000;

/** Remembers experiments from which runs may be read from now on; returns those of before that are read no more. */
export function noteExperiments({ ctx, experiments }: Session): ReadonlySet<string> {
  const vanished = new Set<string>();
  for (const [name] of [...ctx.state.scan(prefix)]) {
    const id = name.slice(prefix.length);
    if (experiments.has(id)) continue;
    vanished.add(id);
    ctx.state.delete(name);
  }
  for (const id of experiments.keys()) if (ctx.state.get(prefix + id) === undefined) ctx.state.set(prefix + id, "");
  return vanished;
}

/** To be called when every run of theirs has been read. */
export function markRead({ collector, ctx }: Session, experiments: Iterable<string>): void {
  for (const id of experiments) {
    if (ctx.state.get(prefix + id) !== undefined) ctx.state.set(prefix + id, collector.include);
  }
}

/** Latest values that were read say nothing of histories. */
function unreadExperiments({ collector, ctx, experiments }: Session): readonly string[] {
  return [...experiments.keys()].filter((id) => ctx.state.get(prefix + id) !== collector.include);
}

/** Under `experiment/<id>` stands what was read of all its runs: `"history"`, `"latest"`, or nothing yet. */
const prefix = "experiment/";
