/// <reference types="bun" />
import { runtime } from "./runtime.ts";

/**
 * Gives back the memory of a large piece of work that has just ended; does nothing under Deno, which does so by itself.
 * Bun collects late: repeated renders of 96 000 series stay at 245–350 MB resident without this and at 81 MB with it,
 * for 13–24 ms a call.
 */
export function collectGarbage(): void {
  if (runtime === "bun") Bun.gc(true);
}
