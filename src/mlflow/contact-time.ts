import type { MlflowOptions } from "./options.ts";

/**
 * How long the first answer of a server may take, ms: a sixth of what one request may take, but 10 s where that is more.
 * An address where something swallows requests is so told from a server that is busy.
 */
export function contactTime({ timeout }: Pick<MlflowOptions, "timeout">): number {
  return Math.min(timeout, Math.max(10_000, timeout / 6));
}
