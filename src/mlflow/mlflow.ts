import { setTimeout as sleep } from "node:timers/promises";
import type { Batch } from "../model/batch.ts";
import type { SourceContext } from "../model/context.ts";
import { defineSource } from "../model/define.ts";
import type { Source } from "../model/source.ts";
import { type Backlog, createBacklog, noteAbsence } from "./backlog.ts";
import { withoutLogin } from "./client.ts";
import { createFacts } from "./facts.ts";
import { inspectSource } from "./inspect-source.ts";
import { MlflowError } from "./mlflow-error.ts";
import { type MlflowOptions, mlflowOptions } from "./options.ts";
import { pollRuns } from "./poll.ts";
import { readStore } from "./read-store.ts";
import { refreshExperiments, warnOfNothing } from "./refresh.ts";
import { defaultLimits, type Limits, openSession, type Session } from "./session.ts";
import { createSweep } from "./sweep.ts";
import { createUnreadable, type Unreadable } from "./unreadable.ts";

/**
 * Reads MLflow over its REST API: every point of every metric exactly once, runs that start, end, are deleted or come
 * back, the counts of experiments, runs and models, and their info series. Called in a configuration.
 */
export const mlflow = defineSource("mlflow", mlflowOptions, (options) => ({
  ...mlflowSource(options),
  inspect: (signal) => inspectSource(options, signal),
}));

/** Makes the source of checked options; `limits` are for tests. `steady` is a clock in ms that nobody sets. */
export function mlflowSource(
  options: MlflowOptions,
  limits: Partial<Limits> = {},
  steady: () => number = () => performance.now(),
): Source {
  const memory: Memory = { recent: new Map(), unreadable: createUnreadable(options.interval, steady), experiments: 0 };
  return {
    rereads: true,
    place: withoutLogin(new URL(options.trackingUri)),
    read(ctx) {
      const all = { ...defaultLimits(options, ctx.once), ...limits };
      return ctx.once ? readOnce(options, ctx, all, memory) : readOn(options, ctx, { ...all, steady }, memory);
    },
    entries: () => ({
      experiments: memory.experiments,
      recent_runs: memory.recent.size,
      unreadable_series: memory.unreadable.fill(),
    }),
  };
}

/** What outlives a session. */
interface Memory {
  /** Runs that the last poll found ended, with the end's time. */
  readonly recent: Map<string, number>;
  readonly unreadable: Unreadable;
  /** How many the session reads. */
  experiments: number;
}

/** One complete pass. Throws `MlflowError` when MLflow cannot be read after a few attempts. */
async function* readOnce(
  options: MlflowOptions,
  ctx: SourceContext,
  limits: Limits,
  { unreadable }: Memory,
): AsyncGenerator<Batch> {
  const session = await openSession(options, ctx, limits, unreadable);
  try {
    yield* readStore(session);
  } finally {
    session.end();
  }
  ctx.polled({ ok: true, nextMs: options.interval });
}

/** Polls until the signal fires; never ends because MLflow is away. */
async function* readOn(
  options: MlflowOptions,
  ctx: SourceContext,
  { steady, ...limits }: Limits & { readonly steady: () => number },
  memory: Memory,
): AsyncGenerator<Batch> {
  const { recent, unreadable } = memory;
  const facts = createFacts();
  const sweep = createSweep();
  let session: Session | undefined;
  let backlog: Backlog | undefined;
  let experimentsDue = 0;
  let modelsDue = 0;
  let sweepDue = 0;
  let failures = 0;
  try {
    while (!ctx.signal.aborted) {
      const started = steady();
      let waitMs = options.interval;
      try {
        // Once it is told that no answer comes, a server that is merely slow gets all the time it may take.
        const contactMs = failures === 0 ? limits.contactMs : options.timeout;
        const isNew = !session;
        session ??= await openSession(options, ctx, { ...limits, contactMs }, unreadable);
        if (isNew) noteAbsence(session);
        backlog ??= createBacklog(session);
        if (started >= experimentsDue) {
          yield* refreshExperiments(session);
          memory.experiments = session.experiments.size;
          if (isNew) warnOfNothing(session);
          experimentsDue = started + limits.experimentsMs;
        }
        if (session.experiments.size + session.nextExperiments().length > 0) yield* pollRuns(session, recent);
        const until = started + (isNew ? Math.min(options.interval, firstMs) : options.interval);
        const isAll = yield* backlog.readOn(() => steady() >= until);
        const models = started >= modelsDue ? await facts.models(session) : undefined;
        if (models) modelsDue = started + limits.modelsMs;
        yield* facts.changed(session, models, isAll);
        failures = 0;
        const ms = Math.round(steady() - started);
        ctx.log.debug("MLflow was polled", { experiments: session.experiments.size, behind: !isAll, ms });
        ctx.polled({ ok: true, nextMs: waitMs, ...(!isAll && { behind: true }) });
        if (!isAll) waitMs = 0;
      } catch (error) {
        if (ctx.signal.aborted) return;
        if (!(error instanceof MlflowError)) throw error;
        waitMs = Math.max(
          error.retryAfterMs ?? 0,
          Math.min(1000 * 2 ** failures, Math.max(options.interval, 1000), 60_000),
        );
        failures += 1;
        session?.end();
        session = undefined;
        backlog = undefined;
        experimentsDue = 0;
        yield* facts.away(ctx);
        ctx.polled({ ok: false, reason: error.message, nextMs: waitMs });
      }
      const due = Math.max(started + waitMs, session ? 0 : steady() + waitMs);
      while (steady() < due && !ctx.signal.aborted) {
        const next = session ? Math.min(due, Math.max(sweepDue, steady())) : due;
        if (!(await pause(next - steady(), ctx.signal))) return;
        if (!session || steady() >= due || steady() < sweepDue) continue;
        const begun = steady();
        try {
          yield* sweep.step(session);
        } catch (error) {
          if (ctx.signal.aborted) return;
          if (!(error instanceof MlflowError)) throw error;
          ctx.log.debug("A step of the sweep has failed", { reason: error.message });
        }
        sweepDue = steady() + Math.max(limits.sweepMs, limits.sweepPause * (steady() - begun));
      }
    }
  } finally {
    session?.end();
  }
}

/** Whoever waits until mlmon is ready waits no longer than that for the past. */
const firstMs = 3000;

/** Waits; false when the signal has fired. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(Math.max(ms, 0), undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
