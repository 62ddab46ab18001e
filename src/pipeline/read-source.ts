import { setTimeout as sleep } from "node:timers/promises";
import type { ResolvedEntry } from "../config/resolved.ts";
import { backoffMs } from "../delivery/backoff.ts";
import type { Journal } from "../journal/journal.ts";
import type { Poll, Progress, SourceContext } from "../model/context.ts";
import type { Held } from "../model/entries.ts";
import { ConfigError, WorkError } from "../model/errors.ts";
import { messageOf } from "../model/message-of.ts";
import { maskSecrets } from "../model/secret.ts";
import type { Source } from "../model/source.ts";
import type { SourceReport } from "../server/status.ts";
import { type Intake, sourceOwner } from "./intake.ts";

/** A source at work; `report` is what pages and readiness show of it. */
export interface ActiveSource {
  readonly entry: ResolvedEntry<Source>;
  report: SourceStatus;
  /** Polls so far after which all that there was had been read. */
  polls: number;
  /** What it holds in memory; absent before it was made. */
  entries?: () => Held;
}

/** What its loop knows of it; the rest is the view's. */
export type SourceStatus = Omit<SourceReport, "experiments" | "runs">;

/** Everything a source's loop needs beside the source. */
export interface Reading {
  readonly journal: Journal;
  readonly intake: Intake;
  /** Frees what only the view's last snapshot keeps in the journal; called at each change of a full one. */
  readonly makeRoom: () => Promise<void>;
  /** The context without what this loop itself provides. */
  readonly context: Omit<SourceContext, "progress" | "polled">;
  /** Called with each report of progress, for people at a terminal. */
  readonly onProgress: (source: string, progress: Progress) => void;
  /** Waits before a failed source is made anew, and returns at once when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The report of a source that has not polled yet. */
export function activeSource(entry: ResolvedEntry<Source>): ActiveSource {
  const report: SourceStatus = {
    id: entry.id,
    type: entry.type,
    place: undefined,
    state: "starting",
    lastSuccess: undefined,
    lastError: undefined,
    intervalMs: 60_000,
    progress: undefined,
  };
  return { entry, report, polls: 0 };
}

/**
 * Reads a source until it ends or the signal fires. With `context.once` an exception is the caller's; otherwise the
 * source is made anew after a backoff and goes on where the journal ends.
 */
export async function readSource(active: ActiveSource, reading: Reading): Promise<void> {
  const { context, wait = pause } = reading;
  for (let attempt = 0; !context.signal.aborted; attempt++) {
    const taken = { batches: 0, samples: 0, saidFull: Number.NEGATIVE_INFINITY };
    try {
      await readUntilEnd(active, reading, taken);
      if (context.once || context.signal.aborted) return;
      throw new WorkError(`The source "${active.entry.id}" has ended`);
    } catch (error) {
      if (context.signal.aborted) return;
      const reason = messageOf(error);
      update(active, { state: "failing", lastError: { time: context.now(), reason } });
      if (context.once) throw told(error, active.entry.id);
      // What had read for a while fails anew, and is not punished for failures of long ago.
      if (taken.batches > 0) attempt = 0;
      const delayMs = backoffMs(attempt, { baseMs: 1000, capMs: 60_000 });
      context.log.error("Source failed and is started again", { source: active.entry.id, reason, delayMs });
      await wait(delayMs, context.signal);
    }
  }
}

/** What a source of the user's own throws is no bug of mlmon's. */
function told(error: unknown, id: string): unknown {
  if (error instanceof WorkError || error instanceof ConfigError) return error;
  return new WorkError(`The source "${id}" has failed: ${messageOf(error)}`, { cause: error });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** What a source has given since it was made. */
interface Taken {
  batches: number;
  samples: number;
  /** When a full journal was last warned of, Unix ms. */
  saidFull: number;
}

/** A journal that a slow sink keeps near its bound is full many times a second. */
const saidEveryMs = 60_000;

/** Counts what is taken while it reads. */
async function readUntilEnd(active: ActiveSource, reading: Reading, taken: Taken): Promise<void> {
  const { intake, context, onProgress } = reading;
  const { id } = active.entry;
  // What the source before it has set after its last batch was never committed.
  reading.journal.discard([sourceOwner(id)]);
  const source = active.entry.create();
  const since = context.now();
  active.entries = () => source.entries?.() ?? {};
  if (source.place !== undefined) update(active, { place: maskSecrets(source.place) });
  try {
    const batches = source.read({
      ...context,
      progress(progress) {
        update(active, { progress });
        onProgress(id, progress);
      },
      polled(poll) {
        const isFirst = poll.ok && !context.once && active.report.lastSuccess === undefined;
        const isWhole = poll.ok && !context.once && !poll.behind && active.polls === 0;
        recordPoll(active, poll, context);
        const seconds = Math.round((context.now() - since) / 100) / 10;
        if (isWhole) context.log.info("Source is read", { source: id, samples: taken.samples, seconds });
        else if (isFirst) context.log.info("Source is read as of now, what was there before follows", { source: id });
      },
    });
    for await (const batch of batches) {
      // One that was left because it did not end may be followed by another, which reads the same again.
      if (context.signal.aborted) break;
      await intake.take(id, batch);
      taken.batches++;
      taken.samples += batch.samples.length;
      await whileFull(active, reading, taken);
      if (context.signal.aborted) break;
    }
  } finally {
    await source.close?.();
  }
}

/** Waits until sinks have freed room: MLflow keeps everything, so waiting loses nothing. */
async function whileFull(active: ActiveSource, { journal, makeRoom, context }: Reading, taken: Taken): Promise<void> {
  const before = active.report.state;
  // Again at each change: when the sinks have let it go, the view alone may hold it.
  for (; journal.size().full && !context.signal.aborted; await journal.changed(context.signal)) {
    await makeRoom();
    const { full, bound, bytes, maxBytes } = journal.size();
    if (!full) break;
    update(active, { state: "full" });
    const now = context.now();
    if (Math.abs(now - taken.saidFull) < saidEveryMs) continue;
    taken.saidFull = now;
    context.log.warn("Reading pauses, as the journal is full", { source: active.entry.id, bound, bytes, maxBytes });
  }
  update(active, { state: before });
}

function recordPoll(active: ActiveSource, poll: Poll, context: Reading["context"]): void {
  const now = context.now();
  if (poll.ok) {
    if (active.report.state === "failing") {
      context.log.info("Source answers again", { source: active.entry.id });
    }
    if (!poll.behind) active.polls += 1;
    const progress = poll.behind ? active.report.progress : undefined;
    update(active, { state: "ok", lastSuccess: now, intervalMs: poll.nextMs, progress });
    return;
  }
  const reason = maskSecrets(poll.reason);
  const known = active.report.state === "failing" && active.report.lastError?.reason === reason;
  if (!known) context.log.warn("Source cannot be read, it is tried again", { source: active.entry.id, reason });
  update(active, { state: "failing", lastError: { time: now, reason } });
}

function update(active: ActiveSource, change: Partial<SourceStatus>): void {
  active.report = { ...active.report, ...change };
}
