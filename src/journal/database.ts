import type { DatabaseSync } from "node:sqlite";
import { WorkError } from "../model/errors.ts";

/** The open file of a journal, and how work on it is done. */
export interface Database {
  readonly db: DatabaseSync;
  /** Does work on the database; a failure of SQLite becomes a `WorkError` that names the file and the mend. */
  run<Result>(work: () => Result): Result;
  /** The same as one transaction: all of it is stored, or nothing. */
  transaction<Result>(work: () => Result): Result;
  /** Makes the error for content that cannot be what was stored. */
  damaged(what: string, cause: unknown): WorkError;
}

/** Wraps an open database; `file` is named in errors. */
export function wrapDatabase(db: DatabaseSync, file: string): Database {
  return { db, run, transaction, damaged: (what, cause) => damagedError(file, what, cause) };

  function run<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw explain(error, file);
    }
  }

  function transaction<Result>(work: () => Result): Result {
    return run(() => {
      db.exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        db.exec("COMMIT");
        return result;
      } catch (error) {
        // SQLite has rolled back by itself after some errors, such as a full disk.
        if (db.isTransaction) db.exec("ROLLBACK");
        throw error;
      }
    });
  }
}

/** Turns an error of SQLite into a `WorkError`, by its text: Deno gives no error number. */
export function explain(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return error;
  const known = causes.find(({ pattern }) => pattern.test(error.message));
  if (known === undefined) return new WorkError(`Cannot use the journal "${file}": ${error.message}`, { cause: error });
  if (known.damage) return damagedError(file, error.message, error);
  return new WorkError(`Cannot use the journal "${file}" as ${known.words}`, { cause: error });
}

const causes: readonly { pattern: RegExp; words: string; damage?: true }[] = [
  { pattern: /malformed|not a database/, words: "", damage: true },
  { pattern: /is full/, words: "its disk is full: make room, then start mlmon again" },
  { pattern: /readonly|unable to open/, words: "it cannot be opened for writing: check the permissions of its folder" },
  { pattern: /is locked/, words: "another process is writing to it: stop that one, or use another state folder" },
  { pattern: /disk I\/O/, words: "its disk reports an error: check the disk" },
];

function damagedError(file: string, what: string, cause: unknown): WorkError {
  return new WorkError(
    `Cannot read the journal "${file}" as it is damaged: ${what}. Move it away, or restore it from a backup; ` +
      "without it mlmon reads MLflow from the start, and what was delivered before is sent again",
    { cause },
  );
}
