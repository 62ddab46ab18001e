import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "../model/error-code.ts";
import { UsageError, WorkError } from "../model/errors.ts";

/** Texts by their path in the folder. */
export type Files = Readonly<Record<string, string>>;

/** How files are written. */
export interface WriteOptions {
  /** Replaces files that are there; else they are a `UsageError` that names them all, and nothing is written. */
  readonly force: boolean;
}

/** Writes the files, with the folders they need. Throws `WorkError` when that cannot be done. */
export async function writeFiles(folder: string, files: Files, { force }: WriteOptions): Promise<void> {
  const there = Object.keys(files).filter((path) => existsSync(join(folder, path)));
  if (there.length > 0 && !force) {
    const names = there.map((path) => `"${path}"`).join(", ");
    throw new UsageError(`Cannot write ${names}: already there, and kept; --force overwrites`);
  }
  for (const [path, text] of Object.entries(files)) await write(join(folder, path), text);
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    const code = codeOf(cause);
    throw new WorkError(
      `Cannot write "${path}"${code ? `: ${code}` : ""}. Run mlmon init in a folder that you may write to`,
      { cause },
    );
  }
}
