import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Batch } from "../model/batch.ts";
import { openBatchRows } from "./batch-rows.ts";
import { createBell } from "./bell.ts";
import { openConsumers } from "./consumers.ts";
import { openEntries } from "./count-entries.ts";
import { openDeadLetters } from "./dead-letters.ts";
import { watchDisk } from "./disk-room.ts";
import type { Changes, Journal } from "./journal.ts";
import { judgeSize } from "./journal-size.ts";
import { openLedger } from "./ledger.ts";
import { openDatabase } from "./open-database.ts";
import { openDeadQueue } from "./open-dead-queue.ts";
import { sinkOf } from "./sink-owner.ts";
import { cutSlice } from "./slice.ts";
import { openStates } from "./state.ts";

/** Where a journal is and when it counts as full. */
export interface JournalOptions {
  /** A file, made when it is missing, or `":memory:"`. */
  readonly path: string;
  /** Batches beyond this make the journal full; what is appended then is stored all the same. */
  readonly maxBytes: number;
  /** Time between the oldest and the newest batch beyond which the journal is full as well, ms; no bound by default. */
  readonly maxAgeMs?: number;
  /** Free room of the disk below which the journal is full as well; 64 MiB by default. */
  readonly reserveBytes?: number;
  /** Shows the journal as it is now, also while another process uses it; false by default. */
  readonly readOnly?: boolean;
  /** Unix ms. */
  readonly now?: () => number;
}

/**
 * Opens a journal in one SQLite file. Throws `WorkError` when the file is damaged, foreign or newer; so does any method
 * that finds damage or a full disk. A journal is opened once at a time: see `openStateFolder`.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { path, maxBytes, maxAgeMs = Number.POSITIVE_INFINITY, readOnly = false, now = Date.now } = options;
  const { reserveBytes = 64 * 1024 ** 2 } = options;
  const database = openDatabase(path, { readOnly });
  const { db, run, transaction } = database;
  const rows = openBatchRows(database);
  const consumers = openConsumers(database);
  const states = openStates(database);
  const ledger = openLedger(database);
  const letters = openDeadLetters(database, maxBytes / 8);
  const entries = openEntries(database);
  const bell = createBell();
  const diskFree =
    path === ":memory:" ? () => Number.POSITIVE_INFINITY : watchDisk(dirname(path), 2 * reserveBytes, now);

  return {
    async append({ batch, ...changes }) {
      if (isEmpty(batch)) return write(changes, () => nothing);
      write(changes, () => rows.append(batch));
      bell.ring();
    },

    async slice(from, limit) {
      return cutSlice(rows, from, limit);
    },

    end: rows.end,
    stored: rows.stored,
    waiting: rows.waiting,
    waitingBytes: rows.waitingBytes,
    positionAt: rows.positionAt,
    position: (consumer) => consumers.get(consumer) ?? rows.start(),
    consumers: consumers.names,

    async commit(consumer, position, changes = {}) {
      if (!(position >= 0 && position <= rows.end())) {
        throw new RangeError(`Cannot move "${consumer}" to position ${position}: the journal ends at ${rows.end()}`);
      }
      write(changes, () => consumers.set(consumer, position));
      bell.ring();
    },

    async forget(consumer, changes = {}) {
      write(changes, () => {
        // Nobody delivers again for a sink that is gone.
        const sink = sinkOf(consumer);
        if (sink !== undefined) ledger.add(letters.unmark(sink));
        return consumers.remove(consumer);
      });
      bell.ring();
    },

    entries: () => [...entries(), { part: "journal", of: "cached_batches", ...rows.cached() }],
    state: states.of,
    discard: states.settle,
    ledger: ledger.read,
    dead: openDeadQueue({ letters, ledger, transaction, bell, now }),

    async trim() {
      const before = rows.start();
      while (rows.deleteBefore(consumers.least() ?? 0)) await setImmediate();
      // Who waits for room hears of it here, as the commit came before the room.
      if (rows.start() !== before) bell.ring();
    },

    size() {
      return judgeSize({
        bytes: rows.bytes(),
        maxBytes,
        ageMs: rows.spanMs(),
        maxAgeMs,
        freeBytes: freeBytes(),
        reserveBytes,
      });
    },

    changed(signal) {
      // Nobody tells when a disk has room again.
      return bell.wait(signal, freeBytes() < reserveBytes ? diskWaitMs : undefined);
    },

    damaged: database.damaged,

    async close() {
      if (!db.isOpen) return;
      bell.ring();
      run(() => db.close());
    },
  };

  /** What was deleted stays in the file and is used again; to write there, SQLite needs some of the disk itself. */
  function freeBytes(): number {
    const free = diskFree();
    return free < reserveBytes / 4 || free > 2 * reserveBytes ? free : free + run(rows.unusedBytes);
  }

  /** Writes one step and what belongs to it, as one transaction; `step` returns what to do when that stands. */
  function write(changes: Changes, step: () => () => void): void {
    const { owners = [], ledger: counts = [], deadLetters = [], replayed = [] } = changes;
    const settle = transaction(() => {
      const settleStep = step();
      states.write(owners);
      ledger.add(counts);
      letters.remove(replayed);
      ledger.add(letters.add(deadLetters));
      return settleStep;
    });
    settle();
    states.settle(owners);
    if (changes.durable) run(() => db.exec("PRAGMA wal_checkpoint(FULL)"));
  }
}

const diskWaitMs = 5000;

function nothing(): void {}

function isEmpty({ samples, ended, runs, restored, facts }: Batch): boolean {
  return samples.length === 0 && ended.length === 0 && !runs?.length && !restored?.length && !facts?.length;
}
