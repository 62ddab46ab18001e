import { bytes, fromUtf8, number, text, toUtf8 } from "./columns.ts";
import type { Database } from "./database.ts";
import { encodeBatch } from "./encode-batch.ts";
import type { DeadLetter } from "./journal.ts";
import { decodeBatch } from "./stored-batch.ts";

/** What receivers have refused for good. */
export interface DeadLetters {
  /** Adds letters, and drops the oldest beyond the cap; called inside a transaction. The returned function is called when that stands. */
  add(letters: readonly DeadLetter[]): () => void;
  /** Newest first. */
  read(limit: number): readonly DeadLetter[];
}

/**
 * Opens the dead letters. They are kept for people to look at, and counted in the ledger: at most `maxBytes` of them,
 * for a receiver that refuses everything must not fill the disk.
 */
export function openDeadLetters({ db, run, damaged }: Database, maxBytes: number): DeadLetters {
  const insert = db.prepare("INSERT INTO dead_letters (sink, time, bytes, reason, body) VALUES (?, ?, ?, ?, ?)");
  const oldest = db.prepare("SELECT id, bytes FROM dead_letters ORDER BY id LIMIT 1");
  const remove = db.prepare("DELETE FROM dead_letters WHERE id = ?");
  const newest = db.prepare("SELECT id, sink, time, reason, body FROM dead_letters ORDER BY id DESC LIMIT ?");
  let kept = run(() =>
    number(db.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM dead_letters").get() ?? {}, "bytes"),
  );
  return {
    add(letters) {
      let added = 0;
      for (const { sink, time, reason, batch } of letters) {
        const body = encodeBatch(batch);
        added += body.length;
        insert.run(sink, time, body.length, toUtf8(reason), body);
      }
      let after = kept + added;
      while (after > maxBytes) {
        const row = oldest.get() ?? {};
        remove.run(number(row, "id"));
        after -= number(row, "bytes");
      }
      return () => {
        kept = after;
      };
    },
    read(limit) {
      const rows = run(() => newest.all(limit));
      return rows.map((row) => ({
        sink: text(row, "sink"),
        time: number(row, "time"),
        reason: fromUtf8(bytes(row, "reason")),
        batch: open(bytes(row, "body"), number(row, "id")),
      }));
    },
  };

  function open(body: Uint8Array, id: number): DeadLetter["batch"] {
    try {
      return decodeBatch(body);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw damaged(`dead letter ${id} cannot be read, ${why}`, error);
    }
  }
}
