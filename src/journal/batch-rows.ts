import type { Batch } from "../model/batch.ts";
import { messageOf } from "../model/message-of.ts";
import { createCache, type StoredRow } from "./batch-cache.ts";
import { bytes, number } from "./columns.ts";
import type { Database } from "./database.ts";
import { encodeBatch } from "./encode-batch.ts";
import { openStoredBatch, type StoredBatch } from "./stored-batch.ts";

/** The stored batches, in the order of their positions. */
export interface BatchRows {
  /** The position after the newest batch. */
  end(): number;
  /** The position of the oldest batch that is kept; `end()` when none is. */
  start(): number;
  /** Samples ever stored. */
  stored(): number;
  /** Bytes of the batches kept. */
  bytes(): number;
  /** Time between the oldest and the newest of them; 0 when the clock went back meanwhile. */
  spanMs(): number;
  /** Bytes of the file that hold nothing. */
  unusedBytes(): number;
  /** Stores a batch; called inside a transaction. The returned function is called when that transaction stands. */
  append(batch: Batch): () => void;
  /** Returns the batch that holds a position between `start()` and `end()`. */
  at(position: number): StoredRow;
  waiting(from: number): { readonly samples: number; readonly oldest: number | undefined };
  waitingBytes(from: number): number;
  positionAt(time: number): number;
  /** How many batches are held in memory, and may be. */
  cached(): { readonly count: number; readonly max: number };
  /** Deletes some of the batches that end at or before a position, each call a transaction; false when none are left. */
  deleteBefore(position: number): boolean;
}

/** All that was ever stored up to some point. */
interface Totals {
  readonly position: number;
  readonly samples: number;
  readonly bytes: number;
}

/** Deletions are cut into pieces of this many batches, so that a long one does not stop everything else. */
const deletedAtOnce = 64;

/** Below this much unused room in the file, or a quarter of it, nothing is given back: it is soon used again. */
const slackBytes = 16 * 1024 ** 2;

/** Pages given back at once, 16 MiB. */
const vacuumedPages = 4096;

/** Opens the batches of a journal. */
export function openBatchRows(database: Database): BatchRows {
  const { db, run, transaction, damaged } = database;
  const insert = db.prepare("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)");
  const setTotals = db.prepare("UPDATE totals SET position = ?, samples = ?, bytes = ?");
  const holding = db.prepare("SELECT position, body FROM batches WHERE position <= ? ORDER BY position DESC LIMIT 1");
  const counts = db.prepare(`
    SELECT position, samples, samples_before, bytes_before, length(body) AS bytes, time FROM batches WHERE position <= ? ORDER BY position DESC LIMIT 1`);
  const sampled = db.prepare("SELECT time FROM batches WHERE position >= ? AND samples > 0 ORDER BY position LIMIT 1");
  const first = db.prepare(`
    SELECT position, samples, samples_before, bytes_before, time FROM batches ORDER BY position LIMIT 1`);
  const since = db.prepare("SELECT position FROM batches WHERE time >= ? ORDER BY position LIMIT 1");
  const deleteFirst = db.prepare(`
    DELETE FROM batches WHERE position IN
      (SELECT position FROM batches WHERE position < ?1 AND position + samples < ?1 ORDER BY position LIMIT ?2)`);
  const cache = createCache();
  let end = run(readTotals);
  let start = run(readStart);
  let newest = run(readNewest);

  return {
    end: () => end.position,
    start: () => start.position,
    stored: () => end.samples,
    bytes: () => end.bytes - start.bytes,
    cached: cache.fill,
    spanMs: () => Math.max(0, newest - start.time),
    unusedBytes: () => pragma("freelist_count") * pragma("page_size"),

    append(batch) {
      const body = encodeBatch(batch);
      const samples = batch.samples.length;
      const after = {
        position: end.position + samples + 1,
        samples: end.samples + samples,
        bytes: end.bytes + body.length,
      };
      insert.run(end.position, samples, end.samples, end.bytes, batch.time, body);
      setTotals.run(after.position, after.samples, after.bytes);
      return () => {
        const wasEmpty = start.position === end.position;
        end = after;
        newest = batch.time;
        if (wasEmpty) start = readStart();
      };
    },

    at(position) {
      const cached = cache.holding(position);
      if (cached) return cached;
      const row = run(() => holding.get(position));
      if (row === undefined) throw damaged(`position ${position} is missing`, undefined);
      const stored = { position: number(row, "position"), batch: open(bytes(row, "body"), number(row, "position")) };
      if (position > stored.position + stored.batch.samples)
        throw damaged(`position ${position} is missing`, undefined);
      cache.add(stored);
      return stored;
    },

    waiting(from) {
      const position = Math.max(from, start.position);
      if (position >= end.position) return { samples: 0, oldest: undefined };
      return run(() => {
        const row = counts.get(position) ?? {};
        const passed = Math.min(position - number(row, "position"), number(row, "samples"));
        const samples = end.samples - number(row, "samples_before") - passed;
        if (passed < number(row, "samples")) return { samples, oldest: number(row, "time") };
        const next = sampled.get(position);
        return { samples, oldest: next && number(next, "time") };
      });
    },

    waitingBytes(from) {
      const position = Math.max(from, start.position);
      if (position >= end.position) return 0;
      const row = run(() => counts.get(position)) ?? {};
      const passed = (position - number(row, "position")) / (number(row, "samples") + 1);
      return Math.round(end.bytes - number(row, "bytes_before") - passed * number(row, "bytes"));
    },

    positionAt: (time) => {
      const row = run(() => since.get(time));
      return row ? number(row, "position") : end.position;
    },

    deleteBefore(position) {
      if (position < start.firstEnd) return false;
      const more = transaction(() => Number(deleteFirst.run(position, deletedAtOnce).changes) === deletedAtOnce);
      start = run(readStart);
      if (!more) run(giveBack);
      return more;
    },
  };

  function open(body: Uint8Array, position: number): StoredBatch {
    try {
      return openStoredBatch(body);
    } catch (error) {
      const why = messageOf(error);
      throw damaged(`the batch at position ${position} cannot be read, ${why}`, error);
    }
  }

  function readTotals(): Totals {
    const row = db.prepare("SELECT position, samples, bytes FROM totals").get() ?? {};
    return { position: number(row, "position"), samples: number(row, "samples"), bytes: number(row, "bytes") };
  }

  /** `firstEnd` is where the oldest batch ends. */
  function readStart(): Totals & { readonly firstEnd: number; readonly time: number } {
    const row = first.get();
    // Without batches there is no time between any two.
    if (row === undefined) return { ...end, firstEnd: Number.POSITIVE_INFINITY, time: Number.POSITIVE_INFINITY };
    const position = number(row, "position");
    return {
      position,
      samples: number(row, "samples_before"),
      bytes: number(row, "bytes_before"),
      firstEnd: position + number(row, "samples") + 1,
      time: number(row, "time"),
    };
  }

  function readNewest(): number {
    const row = db.prepare("SELECT time FROM batches ORDER BY position DESC LIMIT 1").get();
    return row ? number(row, "time") : Number.NEGATIVE_INFINITY;
  }

  function pragma(name: string): number {
    return number(db.prepare(`PRAGMA ${name}`).get() ?? {}, name);
  }

  function giveBack(): void {
    const unused = pragma("freelist_count");
    const enough = Math.max(slackBytes / pragma("page_size"), pragma("page_count") / 4);
    if (unused > enough) db.prepare(`PRAGMA incremental_vacuum(${vacuumedPages})`).all();
  }
}
