import { existsSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { permissionWarning } from "../journal/permissions.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import { codeOf } from "../model/error-code.ts";
import type { Inspection } from "../model/inspection.ts";
import { messageOf } from "../model/message-of.ts";

/**
 * Makes and removes an empty folder in the state folder, or in the nearest one above it that exists, and looks into the
 * journal there, also beside the mlmon that uses it.
 */
export async function checkState(dir: string): Promise<Inspection> {
  const path = resolve(dir);
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const facts: Inspection["facts"] = [["path", folder === path ? path : `${path}, made at the first start`]];
  try {
    await rmdir(await mkdtemp(join(folder, ".mlmon-doctor-")));
    return { facts, problems: folder === path ? [...openTo(path), ...(await damageOf(join(path, "journal.db")))] : [] };
  } catch (error) {
    const code = codeOf(error);
    const message = `Cannot write to "${folder}"${code ? `: ${code}` : ""}`;
    const mend = "make it a folder that the user who runs mlmon may write to, or choose another one with --state";
    return { facts, problems: [{ message, mend, fatal: true }] };
  }
}

function openTo(path: string): Inspection["problems"] {
  const message = permissionWarning(path);
  return message === undefined ? [] : [{ message, mend: "let nobody but the user who runs mlmon in", fatal: false }];
}

async function damageOf(path: string): Promise<Inspection["problems"]> {
  if (!existsSync(path)) return [];
  try {
    const journal = await openJournal({ path, maxBytes: Number.POSITIVE_INFINITY, readOnly: true, now: Date.now });
    await journal.close();
    return [];
  } catch (error) {
    return [{ message: messageOf(error), mend: "then check again", fatal: true }];
  }
}
