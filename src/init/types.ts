import { Buffer } from "node:buffer";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as v from "valibot";
import { WorkError } from "../model/errors.ts";
import { type Files, writeFiles } from "./write-files.ts";

/** Where the declarations go, seen from the folder of the configuration. */
export const typesFolder = ".mlmon/types";

/**
 * Unpacks the declarations of the public API, of valibot and of hono for an editor, in place of older ones. The binary
 * holds them, a checkout after `npm run build`; throws `WorkError` before that, or when they cannot be written.
 */
export async function writeTypes(folder: string): Promise<void> {
  const declarations = await unpack();
  const path = join(folder, typesFolder);
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
  // The folder above is the default one for state, which is its owner's alone.
  await mkdir(join(folder, ".mlmon"), { recursive: true, mode: 0o700 }).catch(() => undefined);
  await writeFiles(path, { ...declarations, ".gitignore": "*\n" }, { force: true });
}

async function unpack(): Promise<Files> {
  const packed = await import("../../dist/types.json", { with: { type: "json" } }).catch((cause) => {
    throw new WorkError("Cannot find the types for the editor: make them with npm run build", { cause });
  });
  const { gzip } = v.parse(packedTypes, packed.default);
  return v.parse(texts, JSON.parse(gunzipSync(Buffer.from(gzip, "base64")).toString("utf8")));
}

const packedTypes = v.object({ gzip: v.string() });
const texts = v.record(v.string(), v.string());
