import { lstatSync, type Stats } from "node:fs";
import { WorkError } from "../model/errors.ts";

/**
 * Throws `WorkError` when something else stands in the place of one of mlmon's files: a link would be followed to a file
 * of somebody else, and opening a pipe never returns. Called before each of them is opened; a missing one is fine.
 */
export function checkPlainFile(path: string): void {
  const stats = statsOf(path);
  if (!stats || stats.isFile()) return;
  const [what, mend] = stats.isSymbolicLink()
    ? ["a link", "put the file itself there, or name the folder where it lies with --state"]
    : [stats.isDirectory() ? "a folder" : "no plain file", "move it away, or choose another folder with --state"];
  throw new WorkError(`Cannot use "${path}" as a file of mlmon as it is ${what}: ${mend}`);
}

/** What cannot be looked at is left to whoever opens it, who has the words for it. */
function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
