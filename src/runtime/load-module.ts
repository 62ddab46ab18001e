import { loadWithBun } from "./load-bun.ts";
import { loadWithDeno } from "./load-deno.ts";
import { runtime } from "./runtime.ts";

/**
 * Imports a user's TypeScript or JavaScript file by its absolute path, afresh each time, with everything it imports from
 * its own folder. `mlmon`, `valibot` and `hono` are the host's own, so that no node_modules is needed. Throws whatever
 * the file throws. Called once a start and once a reload.
 */
export function loadModule(path: string): Promise<Record<string, unknown>> {
  return runtime === "deno" ? loadWithDeno(path) : loadWithBun(path);
}
