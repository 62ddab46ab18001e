import { deadReason } from "../model/dead-reason.ts";
import { bytes, fromUtf8, number, type Row, text, toUtf8 } from "./columns.ts";
import type { Database } from "./database.ts";
import type { DeadCount, DeadFilter, KeptLetter } from "./dead-queue.ts";
import { encodeBatch } from "./encode-batch.ts";
import type { DeadLetter, LedgerRow } from "./journal.ts";
import { decodeBatch } from "./stored-batch.ts";

/**
 * What receivers have refused for good, and what of it is to be delivered again. What changes it is called inside a
 * transaction; `settle` is called when that stands.
 */
export interface DeadLetters {
  /** Adds letters, and lets the oldest go beyond the cap, which it counts. */
  add(letters: readonly DeadLetter[]): { readonly evicted: readonly LedgerRow[]; settle(): void };
  /** Removes letters that were delivered again. */
  remove(ids: readonly number[]): void;
  /** Sends dead letters back to delivery, from `time` on (Unix ms, above 0). */
  mark(filter: DeadFilter, time: number): void;
  drop(filter: DeadFilter): void;
  /** Makes dead letters again of what was sent back for a sink, and returns their counts. */
  unmark(sink: string): readonly LedgerRow[];
  /** Newest first; without those that were sent back. */
  read(limit: number): readonly DeadLetter[];
  counts(filter: DeadFilter): readonly DeadCount[];
  page(filter: DeadFilter, after: number, limit: number): readonly KeptLetter[];
  replaying(sink: string): Replaying;
  /** What was sent back for a sink after an id, the oldest first, each read when it is asked for. */
  replays(sink: string, after?: number): Iterable<KeptLetter>;
}

/** What was sent back to delivery and is still to come; `oldest` is when the first of it was sent back, Unix ms. */
export interface Replaying {
  readonly samples: number;
  readonly bytes: number;
  readonly oldest: number | undefined;
}

const columns = "id, sink, time, words, body";
const matching = `replay = 0 AND (?1 IS NULL OR sink = ?1) AND (?2 IS NULL OR reason = ?2 OR instr(words, ?3) > 0)
  AND time >= ?4 AND time < ?5`;

/**
 * Opens the dead letters. They are kept for people to look at, and counted in the ledger: at most `maxBytes` of them,
 * for a receiver that refuses everything must not fill the disk. What was sent back waits like any other sample: the
 * cap does not touch it.
 */
export function openDeadLetters({ db, run, damaged }: Database, maxBytes: number): DeadLetters {
  const insert = db.prepare(`
    INSERT INTO dead_letters (sink, time, bytes, samples, replay, reason, words, body) VALUES (?, ?, ?, ?, 0, ?, ?, ?)`);
  const oldest = db.prepare(
    "SELECT id, bytes, sink, reason, samples FROM dead_letters WHERE replay = 0 ORDER BY id LIMIT 1",
  );
  const remove = db.prepare("DELETE FROM dead_letters WHERE id = ?");
  const newest = db.prepare(`SELECT ${columns} FROM dead_letters WHERE replay = 0 ORDER BY id DESC LIMIT ?`);
  const count = db.prepare(`
    SELECT sink, reason, count(*) AS letters, sum(samples) AS samples, sum(bytes) AS bytes, min(time) AS oldest
    FROM dead_letters WHERE ${matching} GROUP BY sink, reason ORDER BY sink, reason`);
  const page = db.prepare(`SELECT ${columns} FROM dead_letters WHERE ${matching} AND id > ?6 ORDER BY id LIMIT ?7`);
  const mark = db.prepare(`UPDATE dead_letters SET replay = ?6 WHERE ${matching}`);
  const drop = db.prepare(`DELETE FROM dead_letters WHERE ${matching}`);
  const marked = db.prepare(`
    SELECT coalesce(sum(samples), 0) AS samples, coalesce(sum(bytes), 0) AS bytes, min(replay) AS oldest
    FROM dead_letters WHERE replay > 0 AND sink = ?`);
  const nextMarked = db.prepare(
    `SELECT ${columns} FROM dead_letters WHERE replay > 0 AND sink = ? AND id > ? ORDER BY id LIMIT 1`,
  );
  const countMarked = db.prepare(`
    SELECT reason, sum(samples) AS samples FROM dead_letters WHERE replay > 0 AND sink = ? GROUP BY reason`);
  const unmark = db.prepare("UPDATE dead_letters SET replay = 0 WHERE replay > 0 AND sink = ?");
  const all = db.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM dead_letters WHERE replay = 0");
  /** Bytes, which people change seldom: what they do not know is asked for by the next `add`. */
  let kept: number | undefined;

  function counts(filter: DeadFilter): readonly DeadCount[] {
    return count.all(...parameters(filter)).map((row) => ({
      sink: text(row, "sink"),
      reason: text(row, "reason"),
      letters: number(row, "letters"),
      samples: number(row, "samples"),
      bytes: number(row, "bytes"),
      oldest: number(row, "oldest"),
    }));
  }

  function open(row: Row): KeptLetter {
    const id = number(row, "id");
    const letter = { id, sink: text(row, "sink"), time: number(row, "time"), reason: fromUtf8(bytes(row, "words")) };
    try {
      return { ...letter, batch: decodeBatch(bytes(row, "body")) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw damaged(`dead letter ${id} cannot be read, ${why}`, error);
    }
  }

  return {
    add(letters) {
      if (letters.length === 0) return { evicted: [], settle() {} };
      let total = kept ?? number(all.get() ?? {}, "bytes");
      for (const { sink, time, reason, batch } of letters) {
        const body = encodeBatch(batch);
        insert.run(sink, time, body.length, batch.samples.length, deadReason(reason), toUtf8(reason), body);
        total += body.length;
      }
      const evicted: LedgerRow[] = [];
      while (total > maxBytes) {
        const row = oldest.get();
        if (row === undefined) break;
        remove.run(number(row, "id"));
        total -= number(row, "bytes");
        const [id, reason, count] = [text(row, "sink"), text(row, "reason"), number(row, "samples")];
        evicted.push({ scope: "sink", id, name: "evicted", reason, count });
      }
      return {
        evicted,
        settle() {
          kept = total;
        },
      };
    },

    remove(ids) {
      for (const id of ids) remove.run(id);
    },

    mark(filter, time) {
      kept = undefined;
      mark.run(...parameters(filter), time);
    },

    drop(filter) {
      kept = undefined;
      drop.run(...parameters(filter));
    },

    unmark(sink) {
      kept = undefined;
      const rows = countMarked.all(sink).map((row): LedgerRow => {
        const [reason, count] = [text(row, "reason"), number(row, "samples")];
        return { scope: "sink", id: sink, name: "dead", reason, count };
      });
      unmark.run(sink);
      return rows;
    },

    read: (limit) => run(() => newest.all(limit)).map((row) => withoutId(open(row))),
    counts: (filter) => run(() => counts(filter)),
    page: (filter, after, limit) => run(() => page.all(...parameters(filter), after, limit)).map(open),

    replaying(sink) {
      const row = run(() => marked.get(sink)) ?? {};
      const oldest = row.oldest === null ? undefined : number(row, "oldest");
      return { samples: number(row, "samples"), bytes: number(row, "bytes"), oldest };
    },

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

function parameters({ sink, reason, since, before }: DeadFilter) {
  const words = reason === undefined ? null : toUtf8(reason);
  return [sink ?? null, reason ?? null, words, since ?? 0, before ?? Number.MAX_VALUE] as const;
}

function withoutId({ id: _, ...letter }: KeptLetter): DeadLetter {
  return letter;
}
