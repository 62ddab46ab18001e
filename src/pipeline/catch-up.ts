import { join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { dropOldest } from "../delivery/drop-oldest.ts";
import { runPointsWorker } from "../delivery/points-worker.ts";
import { deliveryWorld } from "../delivery/settle.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import { WorkError } from "../model/errors.ts";
import type { SinkContext } from "../model/sink.ts";
import { closingAll } from "./closing.ts";
import { catchUpOwner, forgetBegin, movedKey } from "./consumers.ts";
import { type HistoryFolder, historyFile, historyRoom, removeHistory } from "./history-files.ts";
import { readAll } from "./read-all.ts";
import { commonKeys } from "./sample-keys.ts";
import { withoutCommon } from "./without-common.ts";

/** What a sink that is new gets from MLflow, as the journal no longer holds it. */
export interface CatchUpWorld extends HistoryFolder {
  /** Resolves when whatever MLflow held at the moment of the call is in the journal, or reading has ended. */
  readonly caughtByReading: (signal: AbortSignal) => Promise<void>;
  /** Whether a consumer makes room in a full journal by itself. */
  readonly yields: (consumer: string) => boolean;
}

/**
 * Reads everything again for one new sink, into a journal of its own, and delivers that before the sink's worker starts,
 * then what has come to the common journal meanwhile without what both hold: the whole history once and in order per
 * series, while no other sink notices. Resumes after a crash. Does nothing for a sink that has no such gap. A history that
 * would need more than half of the disk's room is removed, and tried again later. Returns false when `end` or the sink's
 * signals fire first; then it is to be called again.
 */
export async function catchUp(
  sink: ActiveSink,
  ctx: SinkContext,
  signals: { readonly leave: AbortSignal; readonly end: AbortSignal },
  world: CatchUpWorld,
): Promise<boolean> {
  const { leave, end } = signals;
  const { journal, folder, config, caughtByReading, yields } = world;
  const owner = sinkOwner(sink.id);
  const keeper = catchUpOwner(sink.id);
  const file = historyFile(journal, sink.id);
  if (!file) return true;
  const path = join(folder, file);
  const done = await closingAll(async (opened) => {
    const room = historyRoom(path, journal);
    const history = await openJournal({ path, maxBytes: room, now: ctx.now });
    opened.push(() => history.close());
    // Nothing is trimmed: all of it is compared in the end with what the common journal holds.
    for (const consumer of [keeper, owner]) await history.commit(consumer, history.position(consumer));
    const isDelivered = await givingWay(async () => (await read(history)) && (await deliver(history)));
    if (!isDelivered || !(await meet(history))) return false;
    await settle(history);
    return true;
  }).catch(async (error: unknown) => {
    if (!(error instanceof NoRoomError)) throw error;
    await removeHistory(folder, file);
    const { message: reason } = error;
    Object.assign(sink.status, { state: "paused", lastError: { time: ctx.now(), reason } });
    ctx.log.error("A new sink cannot get its history, which is tried again", {
      sink: sink.id,
      reason,
      delayMs: retryMs,
    });
    await givingWay(() => pause(retryMs, end));
    return end.aborted ? false : catchUp(sink, ctx, signals, world);
  });
  if (done) await removeHistory(folder, file);
  return done;

  async function read(history: Journal): Promise<boolean> {
    if (history.state(keeper).get("read") !== undefined) return true;
    ctx.log.info("MLflow is read again for a new sink, as the journal no longer holds all", { sink: sink.id });
    await readAll({
      config: rereadable(config()),
      journal: history,
      log: ctx.log,
      signal: end,
      now: ctx.now,
      consumes: "points",
      async makeRoom() {
        throw new NoRoomError(
          `"${path}" would take more than half of the room on its disk: make room there, or give the sink ` +
            'startFrom: "now"',
        );
      },
    });
    if (end.aborted) return false;
    history.state(keeper).set("read", "");
    await history.commit(keeper, history.position(keeper), { owners: [keeper] });
    ctx.log.info("Everything was read again for a new sink and is delivered", {
      sink: sink.id,
      samples: history.waiting(history.position(owner)).samples,
    });
    return true;
  }

  /** Delivers from one journal all that it holds; returns false when stopped before its end. */
  async function deliver(from: Journal): Promise<boolean> {
    const own = { ...sink, whenFull: "pause" } as const;
    const common = { journal: from, ctx, log: ctx.log, signal: ctx.signal, leave };
    await runPointsWorker({ ...common, sink: own, inputEnded: AbortSignal.abort(), once: true });
    return from.position(owner) >= from.end();
  }

  /** Drops meanwhile what a full journal holds for this sink alone, where its delivery options say so. */
  async function givingWay<T>(work: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    async function dropUntilOver(): Promise<void> {
      if (sink.whenFull !== "drop-oldest") return;
      const dropping = { sink, journal, world: deliveryWorld(ctx, ctx.log), yields };
      while (!over.signal.aborted) {
        // Asked for first, as a change may come while it is looked at what is there.
        const changed = journal.changed(over.signal);
        if (!(await dropOldest(dropping))) await changed;
      }
    }
    // A journal that cannot be written is told of by the delivery.
    const dropped = dropUntilOver().catch(() => undefined);
    try {
      return await work();
    } finally {
      over.abort();
      await dropped;
    }
  }

  /** Goes on in the common journal, past all that may stand in the history as well; makes room in it meanwhile. */
  async function meet(history: Journal): Promise<boolean> {
    let until: number | undefined;
    const caught = caughtByReading(end).then(() => {
      if (!end.aborted) until = journal.end();
    });
    for (;;) {
      const position = journal.position(owner);
      if (until !== undefined && position >= until) return true;
      if (end.aborted) return false;
      if (position === journal.end()) {
        sink.status.state = "idle";
        await Promise.race([caught, journal.changed(end)]);
      } else {
        if (!journal.size().full) await Promise.race([caught, pause(gatherMs, end)]);
        const common = await commonKeys(journal, position, history);
        if (!(await deliver(withoutCommon(journal, sink.id, common)))) return false;
      }
    }
  }

  /** Counts in the journal what was skipped before and is delivered or dead now, and ends the catching up. */
  async function settle(history: Journal): Promise<void> {
    await moveDeadLetters(history);
    const rows = history
      .ledger()
      .filter(({ scope, name }) => scope === "sink" && ["delivered", "dead", "refused", "evicted"].includes(name));
    const count = rows.reduce((sum, row) => sum + (row.name === "evicted" ? 0 : row.count), 0);
    const reread = { scope: "sink", id: sink.id, name: "reread", reason: "", count } as const;
    forgetBegin(journal.state(keeper));
    // The history is removed next: without this step all of it would be read and sent again.
    const changes = { owners: [keeper], ledger: [...rows, reread], durable: true };
    await journal.commit(owner, journal.position(owner), changes);
    ctx.log.info("A new sink has all that MLflow holds", { sink: sink.id, samples: count });
  }

  /** Some at a time, as a receiver may have refused everything; after a crash from where it was. */
  async function moveDeadLetters(history: Journal): Promise<void> {
    const state = journal.state(keeper);
    for (;;) {
      const deadLetters = history.dead.page({}, Number(state.get(movedKey) ?? 0), movedAtOnce);
      const last = deadLetters.at(-1);
      if (last === undefined) return;
      state.set(movedKey, String(last.id));
      await journal.commit(owner, journal.position(owner), { owners: [keeper], deadLetters });
      await setImmediate();
    }
  }
}

/** The configuration with nothing but the sources that can be read a second time. */
export function rereadable(config: ResolvedConfig): ResolvedConfig {
  return { ...config, sources: config.sources.filter(({ create }) => create().rereads) };
}

/** What comes meanwhile is looked for in the history together: 0.3 s for a million samples of it. */
const gatherMs = 2000;

/** Dead letters of one transaction; one may hold a whole request. */
const movedAtOnce = 100;

/** Long, as MLflow is read from its start each time. */
const retryMs = 600_000;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

class NoRoomError extends WorkError {}
