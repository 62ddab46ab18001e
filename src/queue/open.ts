import { accessSync, constants } from "node:fs";
import { join, resolve } from "node:path";
import type { Send } from "../delivery/send.ts";
import type { DeadCount, DeadFilter } from "../journal/dead-queue.ts";
import type { Journal } from "../journal/journal.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import { openStateFolder } from "../journal/state-folder.ts";
import { codeOf } from "../model/error-code.ts";
import { WorkError } from "../model/errors.ts";
import { changeQueue, type QueueChange } from "./change.ts";
import { readControl } from "./control.ts";
import { passStopped } from "./drop-waiting.ts";
import type { Reading } from "./lines.ts";
import { connectQueue } from "./remote.ts";
import { type QueueReport, reportQueue } from "./report.ts";

/** The queue of a state folder, whether mlmon runs on it or not. */
export interface FolderQueue {
  /** What waits and what is dead right now. */
  report(): Promise<QueueReport>;
  /** Changes the queue: through the mlmon that runs, else in the journal, under the lock of the folder. */
  change(change: QueueChange, filter: DeadFilter): Promise<readonly DeadCount[]>;
  /** Nothing can be changed in the journal; the work must not wait for a reader or a terminal. */
  readonly reading: Reading;
}

/** What a running mlmon is asked with. */
export interface FolderQueueOptions {
  readonly send: Send;
  readonly signal: AbortSignal;
  readonly now?: () => number;
}

/** Opens the queue of a state folder; throws `WorkError` when there is none in it. */
export function openFolderQueue(dir: string, { now = Date.now, ...options }: FolderQueueOptions): FolderQueue {
  const folder = resolve(dir);
  const path = join(folder, "journal.db");
  refuseUnreadable(path, dir);
  const running = async () => {
    const control = readControl(folder);
    return control && connectQueue(control, options);
  };
  async function reading<T>(work: (journal: Journal) => Promise<T>): Promise<T> {
    const journal = await openJournal({ path, maxBytes: Number.POSITIVE_INFINITY, readOnly: true, now });
    return work(journal).finally(() => journal.close());
  }
  return {
    reading,
    async report() {
      const stopped = () =>
        reading(async (journal) => reportQueue(journal, { now: now(), startedAt: null, states: new Map() }));
      return (await running())?.report ?? stopped();
    },
    async change(change, filter) {
      const remote = await running();
      if (remote) return remote.change(change, filter);
      const locked = openStateFolder(folder);
      try {
        const journal = await openJournal({ path, maxBytes: Number.POSITIVE_INFINITY, now });
        return await changeQueue(journal, change, filter, passStopped(journal)).finally(() => journal.close());
      } finally {
        locked.close();
      }
    },
  };
}

/** Whoever may not look into a folder is told that there is nothing in it. */
function refuseUnreadable(path: string, dir: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    const code = codeOf(error);
    if (code === "EACCES" || code === "EPERM") {
      throw new WorkError(
        `Cannot read the state folder "${dir}": permission is missing; run this as the user that mlmon runs as, such as by sudo -u mlmon`,
      );
    }
    throw new WorkError(
      `Cannot find a queue in the state folder "${dir}": mlmon has never run with it; name another one with --state`,
    );
  }
}
