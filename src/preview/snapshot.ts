import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { codeOf } from "../model/error-code.ts";
import { WorkError } from "../model/errors.ts";
import { messageOf } from "../model/message-of.ts";
import type { Preview } from "./preview.ts";

/** A preview kept in a file, to tell later whether the payload has changed. */
export interface PreviewSnapshot {
  /** The clock of the kept preview in Unix ms: a later one runs by the same, so that only the payload can differ. */
  readonly now: number;
  readonly sinks: unknown;
}

const schema = v.object({ now: v.number(), sinks: v.array(v.unknown()) });

/** Reads a snapshot; nothing when the file does not exist yet. */
export function readSnapshot(path: string): PreviewSnapshot | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return v.parse(schema, JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new WorkError(`Cannot read the snapshot "${path}": it is not one that mlmon has written; delete it`, {
      cause,
    });
  }
}

/** Writes a snapshot. */
export function writeSnapshot(path: string, preview: Preview, now: number): void {
  const snapshot: PreviewSnapshot = { now, sinks: preview.sinks };
  try {
    writeFileSync(path, `${JSON.stringify(snapshot, undefined, 2)}\n`);
  } catch (cause) {
    const code = codeOf(cause) ?? messageOf(cause);
    const why = code === "ENOENT" ? "there is no such folder" : code === "EISDIR" ? "it is a folder" : code;
    throw new WorkError(`Cannot write the snapshot "${path}": ${why}`, { cause });
  }
}

/** A sink whose payload differs from the snapshot's, and its first lines that do. */
export interface Change {
  readonly id: string;
  readonly before: string;
  readonly after: string;
}

/** Finds the sinks whose payload differs from the snapshot's. */
export function changedSinks(preview: Preview, snapshot: PreviewSnapshot): readonly Change[] {
  const before = new Map(asSinks(snapshot.sinks));
  const after = new Map(asSinks(preview.sinks));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((id) => before.get(id) !== after.get(id))
    .map((id) => ({ id, ...firstDifference(before.get(id) ?? "", after.get(id) ?? "") }));
}

/** A body is one long line of JSON: only what stands around the difference is shown. */
function firstDifference(before: string, after: string): Omit<Change, "id"> {
  let at = 0;
  while (at < before.length && before[at] === after[at]) at += 1;
  const start = Math.max(before.lastIndexOf("\n", at - 1) + 1, at - 60);
  const around = (text: string) =>
    text
      .slice(start, at + 60)
      .split("\n")[0]
      ?.trim() ?? "";
  return { before: around(before), after: around(after) };
}

/** The requests first: that a count differs as well tells nothing. */
function asSinks(sinks: unknown): [id: string, text: string][] {
  const parsed = v.safeParse(v.array(v.looseObject({ id: v.string(), requests: v.unknown() })), sinks);
  if (!parsed.success) return [];
  return parsed.output.map(({ requests, ...counts }) => [
    counts.id,
    JSON.stringify({ requests, ...counts }, undefined, 2),
  ]);
}
