import { explainMissingExport } from "./host-modules.ts";
import { loadWithBun } from "./load-bun.ts";
import { loadWithDeno } from "./load-deno.ts";
import { runtime } from "./runtime.ts";

/**
 * Imports a user's TypeScript or JavaScript file by its absolute path, afresh each time, with everything it imports from
 * its own folder. `mlmon`, `valibot` and `hono` are the host's own, so that no node_modules is needed. Throws whatever
 * the file throws. Called once a start and once a reload, one after the other. `onFile` is called with each file of the
 * user's that was read, packages apart, also when the loading fails.
 */
export function loadModule(path: string, onFile: (path: string) => void = () => {}): Promise<Record<string, unknown>> {
  const loading = runtime === "deno" ? loadWithDeno(path, onFile) : loadWithBun(path, onFile);
  return loading.catch(async (error: unknown) => {
    throw await explainMissingExport(error);
  });
}
