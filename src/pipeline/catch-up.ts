import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { runPointsWorker } from "../delivery/points-worker.ts";
import type { Journal } from "../journal/journal.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import type { SinkContext } from "../model/sink.ts";
import { closingAll } from "./closing.ts";
import { catchUpKey, sinkOwner } from "./consumers.ts";
import { readAll } from "./read-all.ts";
import { keysBetween, sampleKey } from "./sample-keys.ts";

/** What a sink that is new gets from MLflow, as the journal no longer holds it. */
export interface CatchUpWorld {
  readonly journal: Journal;
  /** The state folder. */
  readonly folder: string;
  /** The configuration at work. */
  readonly config: () => ResolvedConfig;
  /** Resolves when whatever MLflow held at the moment of the call is in the journal, or reading has ended or paused. */
  readonly caughtByReading: (signal: AbortSignal) => Promise<void>;
}

/**
 * Reads everything again for one new sink, into a journal of its own, and delivers it before the sink's worker starts:
 * the whole history once and in order per series, while no other sink notices. Resumes after a crash. Does nothing for
 * a sink that has no such gap. Returns false when `end` or the sink's signals fire first; then it is to be called again.
 */
export async function catchUp(
  sink: ActiveSink,
  ctx: SinkContext,
  { leave, end }: { readonly leave: AbortSignal; readonly end: AbortSignal },
  { journal, folder, config, caughtByReading }: CatchUpWorld,
): Promise<boolean> {
  const owner = sinkOwner(sink.id);
  const begin = ctx.state.get(catchUpKey);
  // Named by the place at which the sink begins: what an earlier sink of this id has left is of no use.
  const file = begin === undefined ? undefined : `catch-up-${sink.id}-${begin}.db`;
  await removeFiles(folder, (name) => isOf(sink.id, name) && (!file || !name.startsWith(file)));
  if (!file) return true;
  const path = join(folder, file);
  const done = await closingAll(async (opened) => {
    const history = await openJournal({ path, maxBytes: Number.POSITIVE_INFINITY, now: ctx.now });
    opened.push(() => history.close());
    await history.commit(owner, history.position(owner));
    const until = boundary(history) ?? (await read(history));
    if (until === undefined) return false;
    // The sink gets these from the journal.
    const coming = await keysBetween(journal, journal.position(owner), until);
    const match = (sample: Parameters<typeof sampleKey>[0]) =>
      !coming.has(sampleKey(sample)) && (sink.match?.(sample) ?? true);
    const own = { ...sink, match, whenFull: "pause", explained: new Set(["match"]) } as const;
    const common = { journal: history, ctx, log: ctx.log, signal: ctx.signal, leave };
    await runPointsWorker({ ...common, sink: own, inputEnded: AbortSignal.abort(), once: true });
    if (history.position(owner) < history.end()) return false;
    await settle(history);
    return true;
  });
  if (done) await removeFiles(folder, (name) => name.startsWith(file));
  return done;

  /** Where the journal ended when everything was read, if that was before. */
  function boundary(history: Journal): number | undefined {
    const known = history.state(catchUpKey).get("until");
    return typeof known === "string" ? Number(known) : undefined;
  }

  async function read(history: Journal): Promise<number | undefined> {
    ctx.log.info("MLflow is read again for a new sink, as the journal no longer holds all", { sink: sink.id });
    await readAll({
      config: rereadable(config()),
      journal: history,
      log: ctx.log,
      signal: end,
      now: ctx.now,
      consumes: "points",
    });
    await caughtByReading(end);
    if (end.aborted) return undefined;
    const until = journal.end();
    history.state(catchUpKey).set("until", String(until));
    await history.commit(owner, history.position(owner), { owners: [catchUpKey] });
    ctx.log.info("Everything was read again for a new sink and is delivered", {
      sink: sink.id,
      samples: history.waiting(history.position(owner)).samples,
    });
    return until;
  }

  /** Counts in the journal what was skipped before and is delivered or dead now, and ends the catching up. */
  async function settle(history: Journal): Promise<void> {
    const rows = history
      .ledger()
      .filter(({ scope, name }) => scope === "sink" && ["delivered", "dead", "refused"].includes(name));
    const count = -rows.reduce((sum, row) => sum + row.count, 0);
    const skipped = { scope: "sink", id: sink.id, name: "skipped", reason: "before_start", count } as const;
    ctx.state.delete(catchUpKey);
    await journal.commit(owner, journal.position(owner), {
      owners: [owner],
      ledger: [...rows, skipped],
      deadLetters: history.deadLetters(Number.MAX_SAFE_INTEGER).toReversed(),
    });
    ctx.log.info("A new sink has all that MLflow holds", { sink: sink.id, samples: -count });
  }
}

/** The configuration with nothing but the sources that can be read a second time. */
export function rereadable(config: ResolvedConfig): ResolvedConfig {
  return { ...config, sources: config.sources.filter(({ create }) => create().rereads) };
}

/** Of this id alone: one may begin another. */
function isOf(id: string, name: string): boolean {
  return name.startsWith(`catch-up-${id}-`) && /^\d+\.db(-wal|-shm)?$/.test(name.slice(`catch-up-${id}-`.length));
}

async function removeFiles(folder: string, isOne: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) if (isOne(name)) await rm(join(folder, name), { force: true });
}
