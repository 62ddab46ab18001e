import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { codeOf } from "../model/error-code.ts";
import { WorkError } from "../model/errors.ts";
import { permissionWarning } from "./permissions.ts";
import { checkPlainFile } from "./plain-file.ts";

/** The folder that holds all that has to survive, locked against a second mlmon. */
export interface StateFolder {
  /** Absolute. */
  readonly path: string;
  /** The file for `openJournal`. */
  readonly journalPath: string;
  /** What others may do there, for the log; nothing when they may do nothing. */
  readonly warning: string | undefined;
  /** Whether the folder is still that which was opened; not when it was removed, replaced or mounted over. */
  isThere(): boolean;
  /** Gives up the lock; may be called twice. */
  close(): void;
}

/**
 * Opens the state folder, made for its owner alone (0700) when it is missing. Throws `WorkError` when it cannot be
 * written, when a link or a pipe stands in the place of a file, or when another process uses it. The system drops the
 * lock when the process ends, however it ends.
 */
export function openStateFolder(dir: string): StateFolder {
  const path = resolve(dir);
  const pidFile = join(path, "pid");
  const lock = takeLock(path, pidFile);
  const opened = identity(path);
  try {
    checkPlainFile(pidFile);
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw unwritable(path, error);
  }
  return {
    path,
    journalPath: join(path, "journal.db"),
    warning: permissionWarning(path),
    isThere: () => identity(path) === opened,
    close() {
      // The pid stays: without the lock it means nothing, and removing it could hit that of a successor.
      if (lock.isOpen) lock.close();
    },
  };
}

/**
 * Locks by an exclusive transaction on an empty SQLite file: the one lock that Bun and Deno both have, and that a
 * SIGKILL leaves to the system to drop.
 */
function takeLock(path: string, pidFile: string): DatabaseSync {
  const file = join(path, "lock");
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    checkPlainFile(file);
    // Only when it is missing: closing a file drops all POSIX locks that this process holds on it.
    if (!existsSync(file)) closeSync(openSync(file, "a", 0o600));
  } catch (error) {
    throw unwritable(path, error);
  }
  const lock = new DatabaseSync(file);
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof Error && /is locked/.test(error.message)) throw inUse(path, pidFile, error);
    throw unwritable(path, error);
  }
}

/** Names the lock file itself, whatever its path. */
function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(join(path, "lock"));
    return `${dev}/${ino}`;
  } catch {
    return undefined;
  }
}

function inUse(path: string, pidFile: string, cause: Error): WorkError {
  return new WorkError(
    `Cannot use the state folder "${path}" as another mlmon uses it: process ${readPid(pidFile)}. Stop that one, or ` +
      "choose another folder with --state",
    { cause },
  );
}

function readPid(pidFile: string): string {
  try {
    return readFileSync(pidFile, "utf8").trim() || "unknown";
  } catch {
    return "unknown";
  }
}

function unwritable(path: string, cause: unknown): WorkError {
  if (cause instanceof WorkError) return cause;
  const code = codeOf(cause) ?? "";
  if (code === "EEXIST" || code === "ENOTDIR") {
    const mend = "Choose another one with --state or MLMON_STATE_DIR";
    return new WorkError(`Cannot make the state folder "${path}" as a file stands in its way. ${mend}`, { cause });
  }
  return new WorkError(
    `Cannot write to the state folder "${path}"${code && `: ${code}`}. Make it writable for this user, or choose another one with ` +
      "--state or MLMON_STATE_DIR",
    { cause },
  );
}
