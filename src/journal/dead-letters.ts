import { deadReason } from "../model/dead-reason.ts";
import { messageOf } from "../model/message-of.ts";
import { bytes, fromUtf8, number, type Row, text, toUtf8 } from "./columns.ts";
import type { Database } from "./database.ts";
import type { DeadCount, DeadFilter, KeptLetter } from "./dead-queue.ts";
import { deadCount, openDeadTotals, type Replaying } from "./dead-totals.ts";
import { encodeBatch } from "./encode-batch.ts";
import type { DeadLetter, LedgerRow } from "./journal.ts";
import { decodeBatch } from "./stored-batch.ts";

/**
 * What receivers have refused for good, and what of it is to be delivered again. What changes it is called inside a
 * transaction.
 */
export interface DeadLetters {
  /** Adds letters, lets the oldest go beyond the cap, and returns the counts of those. */
  add(letters: readonly DeadLetter[]): readonly LedgerRow[];
  /** Removes letters that were delivered again. */
  remove(ids: readonly number[]): void;
  /** The id of the newest one that is dead; 0 when none is. */
  last(): number;
  /** Some of the dead letters after an id, few enough for one transaction; nothing when there are none. */
  next(after: number, last: number): Span | undefined;
  /** Sends dead letters of a span back to delivery, from `time` on (Unix ms, above 0), and returns what they were. */
  mark(filter: DeadFilter, span: Span, time: number): readonly DeadCount[];
  drop(filter: DeadFilter, span: Span): readonly DeadCount[];
  /** Makes dead letters again of what was sent back for a sink, and returns their counts. */
  unmark(sink: string): readonly LedgerRow[];
  counts(filter: DeadFilter): readonly DeadCount[];
  page(filter: DeadFilter, after: number, limit: number): readonly KeptLetter[];
  replaying(sink: string): Replaying;
  /** What was sent back for a sink after an id, the oldest first, each read when it is asked for. */
  replays(sink: string, after?: number): Iterable<KeptLetter>;
}

/** Ids, above the first and up to the last. */
export interface Span {
  readonly after: number;
  readonly to: number;
}

/** A change of more than this waits for others between its steps: rows are written anew with their bodies. */
const step = { letters: 500, bytes: 4 * 1024 ** 2 };

const columns = "id, sink, time, words, body";
const matching = `replay = 0 AND (?1 IS NULL OR sink = ?1) AND (?2 IS NULL OR reason = ?2 OR instr(words, ?3) > 0)
  AND time >= ?4 AND time < ?5 AND id > ?6 AND id <= ?7`;

/**
 * Opens the dead letters. They are kept for people to look at, and counted in the ledger: at most `maxBytes` of them,
 * for a receiver that refuses everything must not fill the disk. What was sent back waits like any other sample: the
 * cap does not touch it.
 */
export function openDeadLetters(database: Database, maxBytes: number): DeadLetters {
  const { db, run, damaged } = database;
  const totals = openDeadTotals(database);
  const insert = db.prepare(`
    INSERT INTO dead_letters (sink, time, bytes, samples, replay, reason, words, body) VALUES (?, ?, ?, ?, 0, ?, ?, ?)`);
  const oldest = db.prepare(
    "SELECT id, bytes, sink, reason, samples FROM dead_letters WHERE replay = 0 ORDER BY id LIMIT 1",
  );
  const remove = db.prepare("DELETE FROM dead_letters WHERE id = ?");
  const count = db.prepare(`
    SELECT sink, reason, count(*) AS letters, sum(samples) AS samples, sum(bytes) AS bytes
    FROM dead_letters WHERE ${matching} GROUP BY sink, reason ORDER BY sink, reason`);
  const page = db.prepare(`SELECT ${columns} FROM dead_letters WHERE ${matching} ORDER BY id LIMIT ?8`);
  const last = db.prepare("SELECT coalesce(max(id), 0) AS id FROM dead_letters WHERE replay = 0");
  const next = db.prepare(`
    SELECT id, bytes FROM dead_letters WHERE replay = 0 AND id > ? AND id <= ? ORDER BY id LIMIT ${step.letters}`);
  const mark = db.prepare(`UPDATE dead_letters SET replay = ?8 WHERE ${matching}`);
  const drop = db.prepare(`DELETE FROM dead_letters WHERE ${matching}`);
  const nextMarked = db.prepare(
    `SELECT ${columns} FROM dead_letters WHERE replay > 0 AND sink = ? AND id > ? ORDER BY id LIMIT 1`,
  );
  const unmark = db.prepare("UPDATE dead_letters SET replay = 0 WHERE replay > 0 AND sink = ?");

  function counts(filter: DeadFilter, span?: Span): readonly DeadCount[] {
    return count.all(...parameters(filter, span)).map(deadCount);
  }

  function open(row: Row): KeptLetter {
    const id = number(row, "id");
    const letter = { id, sink: text(row, "sink"), time: number(row, "time"), reason: fromUtf8(bytes(row, "words")) };
    try {
      return { ...letter, batch: decodeBatch(bytes(row, "body")) };
    } catch (error) {
      const why = messageOf(error);
      throw damaged(`dead letter ${id} cannot be read, ${why}`, error);
    }
  }

  return {
    add(letters) {
      if (letters.length === 0) return [];
      for (const { sink, time, reason, batch } of letters) {
        const body = encodeBatch(batch);
        insert.run(sink, time, body.length, batch.samples.length, deadReason(reason), toUtf8(reason), body);
      }
      const evicted: LedgerRow[] = [];
      let total = totals.keptBytes();
      while (total > maxBytes) {
        const row = oldest.get();
        if (row === undefined) break;
        remove.run(number(row, "id"));
        total -= number(row, "bytes");
        const [id, reason, count] = [text(row, "sink"), text(row, "reason"), number(row, "samples")];
        evicted.push({ scope: "sink", id, name: "evicted", reason, count });
      }
      return evicted;
    },

    remove(ids) {
      for (const id of ids) remove.run(id);
    },

    last: () => number(run(() => last.get()) ?? {}, "id"),

    next(after, last) {
      let bytes = 0;
      let to = after;
      for (const row of run(() => next.all(after, last))) {
        bytes += number(row, "bytes");
        if (to > after && bytes > step.bytes) break;
        to = number(row, "id");
      }
      return to === after ? undefined : { after, to };
    },

    mark(filter, span, time) {
      const found = counts(filter, span);
      if (found.length > 0) mark.run(...parameters(filter, span), time);
      return found;
    },

    drop(filter, span) {
      const found = counts(filter, span);
      if (found.length > 0) drop.run(...parameters(filter, span));
      return found;
    },

    unmark(sink) {
      const replayed = totals.replayedReasons(sink);
      unmark.run(sink);
      return replayed.map(({ reason, samples }) => ({ scope: "sink", id: sink, name: "dead", reason, count: samples }));
    },

    counts({ sink, ...filter }) {
      if (Object.values(filter).some((value) => value !== undefined)) return run(() => counts({ sink, ...filter }));
      return totals.kept().filter((count) => sink === undefined || count.sink === sink);
    },

    page: (filter, after, limit) =>
      run(() => page.all(...parameters(filter, { after, to: Number.MAX_SAFE_INTEGER }), limit)).map(open),
    replaying: totals.replaying,

    *replays(sink, after = 0) {
      for (let last = after; ; ) {
        const row = run(() => nextMarked.get(sink, last));
        if (row === undefined) return;
        const letter = open(row);
        last = letter.id;
        yield letter;
      }
    },
  };
}

function parameters(
  { sink, reason, since, before }: DeadFilter,
  span: Span = { after: 0, to: Number.MAX_SAFE_INTEGER },
) {
  const words = reason === undefined ? null : toUtf8(reason);
  const { after, to } = span;
  return [sink ?? null, reason ?? null, words, since ?? 0, before ?? Number.MAX_VALUE, after, to] as const;
}
