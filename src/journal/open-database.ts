import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { WorkError } from "../model/errors.ts";
import { number, text } from "./columns.ts";
import { type Database, explain, wrapDatabase } from "./database.ts";
import { checkPlainFile } from "./plain-file.ts";
import { applicationId, schema, schemaVersion } from "./schema.ts";

/**
 * Opens the file of a journal, or makes it when there is none; `":memory:"` makes one that ends with the process.
 * Throws `WorkError` for a file that is not a journal, is damaged, or was written by a newer mlmon: nothing that is
 * there is ever overwritten.
 */
export function openDatabase(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): Database {
  if (path === ":memory:") {
    const db = new DatabaseSync(path);
    db.exec(schema);
    return wrapDatabase(db, path);
  }
  try {
    for (const end of ["", "-wal", "-shm", ".new", ".new-journal"]) checkPlainFile(`${path}${end}`);
    if (existsSync(path)) checkHead(path);
    else if (readOnly) throw new WorkError(`Cannot open the journal "${path}" as there is none`);
    else create(path);
    const db = new DatabaseSync(path, { timeout: busyMs, readOnly });
    try {
      checkContent(db, path);
      // One that is only looked at stays as it is at this moment, whatever its owner goes on to do.
      if (readOnly) db.exec("BEGIN");
      else prepare(db);
      return wrapDatabase(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw explain(error, path);
  }
}

const busyMs = 1000;

/** Above this a whole check takes too long for a start; damage is then found where it is read, by the checksums. */
const checkedBytes = 16 * 1024 ** 2;

/** Makes the file under another name first: a file of the right name is always a whole journal. */
function create(path: string): void {
  if (existsSync(`${path}-wal`)) {
    throw new WorkError(
      `Cannot open the journal "${path}": it is missing while its "${path}-wal" is there; put it back, or move that away`,
    );
  }
  const draft = `${path}.new`;
  for (const leftover of [draft, `${draft}-journal`]) rmSync(leftover, { force: true });
  // SQLite gives its other files the mode of this one.
  closeSync(openSync(draft, "wx", 0o600));
  const db = new DatabaseSync(draft);
  try {
    // Set before the first table, or never: lets `trim` give room back to the disk.
    db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec(`BEGIN; ${schema} COMMIT`);
  } finally {
    db.close();
  }
  renameSync(draft, path);
}

/** Looks at the first bytes alone, so that a foreign file is not touched: SQLite writes to what it opens. */
function checkHead(path: string): void {
  const head = readHead(path);
  if (head.every((byte) => byte === 0)) throw foreign(path, "is empty");
  const magic = new TextDecoder().decode(head.subarray(0, 16));
  if (magic !== "SQLite format 3\0") throw foreign(path, "is not a journal of mlmon");
  // https://www.sqlite.org/fileformat2.html#the_database_header
  const id = new DataView(head.buffer).getUint32(68);
  if (id !== applicationId) throw foreign(path, "is a SQLite database of another program");
}

function readHead(path: string): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(100);
  try {
    const file = openSync(path, "r");
    try {
      readSync(file, head);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new WorkError(`Cannot open the journal "${path}" as it cannot be read: check its permissions`, { cause });
  }
  return head;
}

function checkContent(db: DatabaseSync, path: string): void {
  const version = number(db.prepare("PRAGMA user_version").get() ?? {}, "user_version");
  if (version !== schemaVersion) {
    throw new WorkError(
      `Cannot open the journal "${path}" as another version of mlmon wrote it: its form is ${version}, this mlmon ` +
        `knows ${schemaVersion}; use that version, or move the file away to start anew`,
    );
  }
  if (tablesOf(db) !== madeTables())
    throw wrapDatabase(db, path).damaged("its tables are not those of mlmon", undefined);
  if (statSync(path).size > checkedBytes) return;
  const found = text(db.prepare("PRAGMA quick_check(1)").get() ?? {}, "quick_check");
  if (found !== "ok") throw wrapDatabase(db, path).damaged(oneLine(found), undefined);
}

/** What SQLite keeps of how the tables were made: a byte that differs there gives them other columns. */
function tablesOf(db: DatabaseSync): string {
  return JSON.stringify(db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all());
}

function madeTables(): string {
  const db = new DatabaseSync(":memory:");
  try {
    db.exec(schema);
    return tablesOf(db);
  } finally {
    db.close();
  }
}

/**
 * In WAL with NORMAL a power cut can take back the last transactions but never part of one. A source's state goes back
 * together with its batches, and MLflow still has those; a position goes back with what was written beside it, and what
 * was delivered meanwhile is sent again: at least once holds, at the price of no disk sync per commit.
 */
function prepare(db: DatabaseSync): void {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 33554432;
  `);
}

/** SQLite says in which database, and then each fault on a line. */
function oneLine(found: string): string {
  return found.replace("*** in database main ***\n", "").replaceAll("\n", ", ");
}

function foreign(path: string, what: string): WorkError {
  return new WorkError(`Cannot open the journal "${path}" as it ${what}: move it away, or use another state folder`);
}
