import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { checkPlainFile } from "../journal/plain-file.ts";
import { type Secret, secret } from "../model/secret.ts";

/** How a command reaches the mlmon that uses a state folder: whoever may read the folder may change its queue. */
export interface Control {
  readonly url: string;
  /** A token of this run of mlmon alone. */
  readonly key: Secret;
  /** Unix ms; tells a process from another one at the same address. */
  readonly startedAt: number;
}

/** Makes the key of a run. */
export function createKey(): { readonly key: Secret; readonly text: string } {
  const text = randomBytes(24).toString("base64url");
  return { key: secret.literal("control key", text), text };
}

/** Writes where mlmon can be reached into its state folder, readable by its owner alone; returns what removes it. */
export function announce(stateDir: string, content: { url: string; key: string; startedAt: number }): () => void {
  const file = join(stateDir, name);
  for (const end of ["", ".new"]) checkPlainFile(`${file}${end}`);
  // Neither through a link that somebody has put there, nor with the rights of what was there before.
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
}

/** Reads it; nothing when no mlmon has said so. After a kill it may name one that is gone. */
export function readControl(stateDir: string): Control | undefined {
  try {
    const { key, ...rest } = v.parse(content, JSON.parse(readFileSync(join(stateDir, name), "utf8")));
    return { ...rest, key: secret.literal("control key", key) };
  } catch {
    return undefined;
  }
}

const name = "control.json";
const content = v.object({ url: v.string(), key: v.pipe(v.string(), v.nonEmpty()), startedAt: v.number() });
