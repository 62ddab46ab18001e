import { crc32 } from "node:zlib";
import { number, text } from "./columns.ts";
import type { Database } from "./database.ts";

/** Where each consumer stands. */
export interface Consumers {
  get(consumer: string): number | undefined;
  names(): readonly string[];
  /** The least position; `undefined` without consumers. */
  least(): number | undefined;
  /** Moves a consumer; called inside a transaction. The returned function is called when that transaction stands. */
  set(consumer: string, position: number): () => void;
  /** Removes a consumer, in the same way as `set`. */
  remove(consumer: string): () => void;
}

/** Opens the positions. */
export function openConsumers({ db, run, damaged }: Database): Consumers {
  const upsert = db.prepare("INSERT OR REPLACE INTO consumers (name, position, crc) VALUES (?, ?, ?)");
  const remove = db.prepare("DELETE FROM consumers WHERE name = ?");
  const positions = run(
    () =>
      new Map(
        db
          .prepare("SELECT name, position, crc FROM consumers ORDER BY name")
          .all()
          .map((row) => stored(text(row, "name"), number(row, "position"), number(row, "crc"))),
      ),
  );
  function stored(consumer: string, position: number, crc: number): [string, number] {
    if (crc === crcOf(consumer, position)) return [consumer, position];
    throw damaged(`the position of "${consumer}" cannot be read, its checksum differs`, undefined);
  }
  return {
    get: (consumer) => positions.get(consumer),
    names: () => [...positions.keys()].sort(),
    least: () => (positions.size === 0 ? undefined : Math.min(...positions.values())),
    set(consumer, position) {
      upsert.run(consumer, position, crcOf(consumer, position));
      return () => positions.set(consumer, position);
    },
    remove(consumer) {
      remove.run(consumer);
      return () => positions.delete(consumer);
    },
  };
}

function crcOf(consumer: string, position: number): number {
  return crc32(`${position} ${consumer}`);
}
