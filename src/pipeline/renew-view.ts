import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ResolvedConfig } from "../config/resolved.ts";
import { backoffMs } from "../delivery/backoff.ts";
import type { Journal } from "../journal/journal.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import type { EndedRun } from "../model/batch.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import { createView } from "../view/create-view.ts";
import type { View } from "../view/view.ts";
import { consumes } from "./apply.ts";
import { rereadable } from "./catch-up.ts";
import { closingAll } from "./closing.ts";
import type { Intake } from "./intake.ts";
import { readAll } from "./read-all.ts";
import { isLatest, type SinkAtWork } from "./sink-at-work.ts";
import { transformsDigest } from "./transforms-digest.ts";
import { type ViewKeeper, viewConsumer, viewOptions } from "./view-keeper.ts";

/** What a renewal is done with. */
export interface RenewalWorld {
  readonly journal: Journal;
  readonly view: View;
  readonly intake: Intake;
  readonly keeper: ViewKeeper;
  readonly log: Log;
  readonly now: () => number;
  /** Ends it; what it has not done is done by the next start. */
  readonly signal: AbortSignal;
  /** Where what is remembered of a long reading is kept meanwhile; in memory by default. */
  readonly stateDir?: string | undefined;
  /** What is at work. */
  readonly current: () => Coded;
  readonly sinks: () => readonly SinkAtWork[];
}

/** A configuration with the digest of the files it was read from. */
export interface Coded {
  readonly config: ResolvedConfig;
  readonly code: string;
}

/**
 * Builds the view anew when it was built by other transforms than those at work, for it holds nothing but what they let
 * through. The sources are read again beside the reading of what is new, and passed through the transforms as in a
 * preview; then all series are exchanged at once. Where no sink shows them, that waits for the first that does.
 */
export interface Renewal {
  /**
   * Notes, before the first batch passes them, whether other transforms are at work: by their digest, or because they
   * `differ` from those before in what no digest shows. Survives a crash until the view was built by them.
   */
  note(next: Coded, differ?: boolean): Promise<void>;
  /** Builds it in the background when that is due, and tries again until it is done. Called at the start and after a reload. */
  start(): void;
  /** Ends what is under way, which is of the parts and transforms before. Called when a reload begins; `start` begins anew. */
  stop(): void;
  /** Builds it now when that is due; rejects when a source cannot be read. */
  once(): Promise<void>;
  /** Resolves when none is under way; never rejects. */
  ended(): Promise<void>;
}

/** Makes the renewal of a pipeline's view; called once. */
export function createRenewal(world: RenewalWorld): Renewal {
  const { journal, view, intake, keeper, log, now, signal, stateDir, current, sinks } = world;
  const state = journal.state(viewConsumer);
  let reload = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const built = () => String(state.get(transformsKey) ?? "");
  const isDue = () => built() === outdated && sinks().some(({ sink }) => isLatest(sink));

  async function note({ config, code }: Coded, differ = false): Promise<void> {
    const transforms = transformsDigest(config, code);
    const isEmpty = journal.end() === 0;
    if (built() === transforms && (isEmpty || !differ)) return;
    state.set(transformsKey, isEmpty ? transforms : outdated);
    await journal.commit(viewConsumer, journal.position(viewConsumer), { owners: [viewConsumer] });
  }

  async function untilDone(ends: AbortSignal): Promise<void> {
    let said: string | undefined;
    for (let attempt = 0; !ends.aborted; attempt++) {
      try {
        return await renew(ends, attempt === 0);
      } catch (error) {
        if (ends.aborted) return;
        const reason = messageOf(error);
        const delayMs = backoffMs(attempt, { baseMs: 1000, capMs: 60_000 });
        if (reason !== said)
          log.warn("The latest values cannot be read again, which is tried again", { reason, delayMs });
        said = reason;
        await sleep(delayMs, undefined, { signal: ends, ref: false }).catch(() => undefined);
      }
    }
  }

  async function renew(ends: AbortSignal, isFirst: boolean): Promise<void> {
    const { config, code } = current();
    const again = rereadable(config);
    const sources = again.sources.map(({ id }) => id);
    if (isFirst) announce(config, sources);
    const rebuilt = createView(viewOptions(again));
    const gone = new Map<string, EndedRun>();
    // What is new of them passes both views; a run that is deleted may still come from the second reading.
    const unfollow = intake.follow((batch) => {
      if (!sources.includes(batch.source ?? "")) return;
      rebuilt.apply(batch);
      for (const { id } of batch.runs ?? []) gone.delete(id);
      for (const run of batch.ended) if (run.deleted) gone.set(run.id, run);
    });
    try {
      await readAgain(again, rebuilt, ends);
      let series: number | undefined;
      await keeper.change(() => {
        if (ends.aborted) return;
        // From here on both share their series.
        unfollow();
        rebuilt.apply({ time: now(), samples: [], ended: [...gone.values()] });
        series = view.adopt(rebuilt, sources, now());
        state.set(transformsKey, transformsDigest(config, code));
      });
      if (series !== undefined) log.info("The latest values are those of the transforms at work", { series });
    } finally {
      unfollow();
    }
  }

  function announce({ sources }: ResolvedConfig, again: readonly string[]): void {
    const others = sources.map(({ id }) => id).filter((id) => !again.includes(id));
    if (again.length > 0) {
      log.info("The transforms have changed: the latest values are read again", { sources: again.join(", ") });
    }
    if (others.length === 0) return;
    const message = "The transforms have changed: what sources gave before that cannot be read again stays as it is";
    log.warn(message, { sources: others.join(", ") });
  }

  /** Of the journal it needs the states alone. */
  async function readAgain(config: ResolvedConfig, rebuilt: View, ends: AbortSignal): Promise<void> {
    const path = stateDir === undefined ? ":memory:" : join(stateDir, fileName);
    await removeLeft(path);
    try {
      await closingAll(async (opened) => {
        const own = await openJournal({ path, maxBytes: 8 * 1024 ** 2, now });
        opened.push(() => own.close());
        const makeRoom = async () => {
          await own.commit(viewConsumer, own.end());
          await own.trim();
        };
        const reading = { journal: own, view: rebuilt, log, signal: ends, now, makeRoom };
        await readAll({ ...reading, config, consumes: consumes(sinks()) });
      });
    } finally {
      await removeLeft(path);
    }
  }

  return {
    note,
    start() {
      if (!isDue()) return;
      reload = new AbortController();
      const ends = AbortSignal.any([signal, reload.signal]);
      running = running.then(() => untilDone(ends));
    },
    stop: () => reload.abort(),
    async once() {
      if (isDue()) await renew(signal, true);
    },
    ended: () => running,
  };
}

/** Where the view's state keeps the digest of the transforms it was built by. */
const transformsKey = "transforms";

/** No digest: some of the view was built by others. */
const outdated = "outdated";

const fileName = "latest-values.db";

async function removeLeft(path: string): Promise<void> {
  if (path === ":memory:") return;
  for (const end of ["", "-wal", "-shm"]) await rm(path + end, { force: true });
}
