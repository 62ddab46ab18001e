import { statSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import { beginKey, catchUpOwner } from "./consumers.ts";

/** Where histories of new sinks are kept until they are delivered. */
export interface HistoryFolder {
  readonly journal: Journal;
  /** The state folder. */
  readonly folder: string;
  /** The configuration at work. */
  readonly config: () => ResolvedConfig;
}

/**
 * The name of the file with the history of a sink that is to catch up; nothing for another. Named by the place at which
 * the sink begins: what an earlier sink of this id has left is of no use.
 */
export function historyFile(journal: Journal, sink: string): string | undefined {
  const begin = journal.state(catchUpOwner(sink)).get(beginKey);
  return begin === undefined ? undefined : `${prefix}${sink}-${begin}.db`;
}

/** How large a history may become, bytes: half of what is free, and what it has taken before a crash. */
export function historyRoom(path: string, journal: Journal): number {
  const taken = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return taken + journal.size().freeBytes / 2;
}

/** Removes a history that was delivered or cannot be. */
export async function removeHistory(folder: string, file: string): Promise<void> {
  await removeFiles(folder, (name) => name.startsWith(file));
}

/** Removes the histories that no sink is to get any more; called before sinks start and after some were removed. */
export async function removeOldHistories({ journal, folder, config }: HistoryFolder): Promise<void> {
  const wanted = config().sinks.flatMap(({ id }) => historyFile(journal, id) ?? []);
  await removeFiles(folder, (name) => !wanted.some((file) => name.startsWith(file)));
}

const prefix = "catch-up-";

/** The files of SQLite beside a history begin with its name. */
async function removeFiles(folder: string, isOne: (name: string) => boolean): Promise<void> {
  const histories = (await readdir(folder)).filter((name) => name.startsWith(prefix));
  for (const name of histories) if (isOne(name)) await rm(join(folder, name), { force: true });
}
