import { Buffer } from "node:buffer";
import type { StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { State, StateValue } from "../model/state.ts";
import { bytes, fromUtf8, number, type Row, toUtf8 } from "./columns.ts";
import type { Database } from "./database.ts";

/** The states of all owners, with what each has pending. */
export interface States {
  of(owner: string): State;
  /** Writes what the owners have pending; called inside a transaction. */
  write(owners: readonly string[]): void;
  /** Forgets what `write` has written; called when that transaction stands. */
  settle(owners: readonly string[]): void;
}

/** Opens the states; keys are compared by the bytes of their UTF-8. */
export function openStates(database: Database): States {
  const { db } = database;
  const statements: Statements = {
    get: db.prepare("SELECT is_text, crc, value FROM state WHERE owner = ? AND key = ?"),
    set: db.prepare("INSERT OR REPLACE INTO state (owner, key, is_text, crc, value) VALUES (?, ?, ?, ?, ?)"),
    delete: db.prepare("DELETE FROM state WHERE owner = ? AND key = ?"),
    page: db.prepare(`
      SELECT key, is_text, crc, value FROM state
      WHERE owner = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`),
  };
  const states = new Map<string, PendingState>();
  return {
    of(owner) {
      let state = states.get(owner);
      if (state === undefined) {
        state = new PendingState(owner, statements, database);
        states.set(owner, state);
      }
      return state;
    },
    write(owners) {
      for (const owner of owners) states.get(owner)?.write();
    },
    settle(owners) {
      for (const owner of owners) states.get(owner)?.settle();
    },
  };
}

type Statements = Readonly<Record<"get" | "set" | "delete" | "page", StatementSync>>;

/** Small at first, as a scan is often left early; grows, as some read hundreds of thousands of entries. */
const pageSizes = { first: 16, most: 1024 };

class PendingState implements State {
  /** `undefined` marks a deletion. */
  readonly #pending = new Map<string, StateValue | undefined>();
  readonly #owner: string;
  readonly #statements: Statements;
  readonly #database: Database;

  constructor(owner: string, statements: Statements, database: Database) {
    this.#owner = owner;
    this.#statements = statements;
    this.#database = database;
  }

  get(key: string): StateValue | undefined {
    if (this.#pending.has(key)) return this.#pending.get(key);
    const row = this.#database.run(() => this.#statements.get.get(this.#owner, toUtf8(key)));
    return row && this.#storedValue(toUtf8(key), row);
  }

  set(key: string, value: StateValue): void {
    // The caller may go on using its buffer.
    this.#pending.set(key, typeof value === "string" ? value : value.slice());
  }

  delete(key: string): void {
    this.#pending.set(key, undefined);
  }

  *scan(prefix: string): Iterable<readonly [string, StateValue]> {
    const pending = this.#pendingEntries(prefix);
    let next = 0;
    for (const stored of this.#storedEntries(prefix)) {
      for (let entry = pending[next]; entry && Buffer.compare(entry.bytes, stored.bytes) <= 0; entry = pending[next]) {
        if (entry.value !== undefined) yield [entry.key, entry.value];
        next++;
      }
      // What is pending under the same key, a deletion too, hides what is stored.
      if (pending[next - 1]?.key !== stored.key) yield [stored.key, stored.value];
    }
    for (const { key, value } of pending.slice(next)) if (value !== undefined) yield [key, value];
  }

  write(): void {
    for (const [key, value] of this.#pending) {
      if (value === undefined) this.#statements.delete.run(this.#owner, toUtf8(key));
      else if (typeof value === "string") this.#store(toUtf8(key), 1, toUtf8(value));
      else this.#store(toUtf8(key), 0, value);
    }
  }

  settle(): void {
    this.#pending.clear();
  }

  #store(key: Uint8Array, isText: number, value: Uint8Array): void {
    this.#statements.set.run(this.#owner, key, isText, crcOf(this.#owner, key, isText, value), value);
  }

  #storedValue(key: Uint8Array, row: Row): StateValue {
    const value = bytes(row, "value");
    const isText = number(row, "is_text");
    if (number(row, "crc") !== crcOf(this.#owner, key, isText, value)) {
      throw this.#database.damaged(`a state of "${this.#owner}" cannot be read, its checksum differs`, undefined);
    }
    return isText === 1 ? fromUtf8(value) : value;
  }

  #pendingEntries(prefix: string): Entry<StateValue | undefined>[] {
    return [...this.#pending]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => ({ bytes: toUtf8(key), key, value }))
      .sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  }

  *#storedEntries(prefix: string): Iterable<Entry<StateValue>> {
    let from = toUtf8(prefix);
    const end = endOfPrefix(from);
    for (let size = pageSizes.first; ; size = Math.min(size * 4, pageSizes.most)) {
      const rows = this.#database.run(() => this.#statements.page.all(this.#owner, from, end, size));
      for (const row of rows) {
        const key = bytes(row, "key");
        yield { bytes: key, key: fromUtf8(key), value: this.#storedValue(key, row) };
        // The least key beyond this one.
        from = new Uint8Array([...key, 0]);
      }
      if (rows.length < size) return;
    }
  }
}

interface Entry<Value> {
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly value: Value;
}

/** The least bytes beyond all keys with a prefix; UTF-8 never holds 0xFF. */
function endOfPrefix(prefix: Uint8Array): Uint8Array {
  const end = prefix.length === 0 ? new Uint8Array([0xfe]) : prefix.slice();
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}

/** Over all of a row, so that a value under another key or owner is found out, too. */
function crcOf(owner: string, key: Uint8Array, isText: number, value: Uint8Array): number {
  return crc32(value, crc32(key, crc32(`${isText} ${owner} `)));
}
