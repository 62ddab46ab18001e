import { createHash } from "node:crypto";
import { fingerprint } from "../config/fingerprint.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { filter } from "../transforms/filter.ts";
import { label } from "../transforms/label.ts";
import { rename } from "../transforms/rename.ts";
import { thin } from "../transforms/thin.ts";

/**
 * Takes a digest of the transforms of a configuration that may be stored: equal when they give the same of the same
 * samples, and empty when there are none. What functions refer to, and the code of the user's own transforms, cannot be
 * seen: `code`, of the files of the configuration, stands for it.
 */
export function transformsDigest({ transforms }: ResolvedConfig, code: string): string {
  if (transforms.length === 0) return "";
  const own = new Set(
    [filter(() => true), label({}), rename({}), thin({ interval: 1 })].map((entry) => entry.definition),
  );
  const hash = createHash("sha256");
  for (const { id, type, options, definition } of transforms) {
    const { digest, hasFunctions } = fingerprint({ id, type, options }, { lasting: true });
    hash.update(`${digest} ${hasFunctions || !own.has(definition) ? code : ""}\n`);
  }
  return hash.digest("hex");
}
