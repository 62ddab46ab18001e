/// <reference types="bun" />
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { hostModules, unknownHostModule } from "./host-modules.ts";

/** Imports a user's file under Bun and in the binary. */
export async function loadWithBun(path: string): Promise<Record<string, unknown>> {
  await registerHostModules();
  forget(dirname(path) + sep);
  // A plain path: Bun drops the query of a file: URL and would give the old module.
  return import(path).catch((error: unknown) => {
    const name = typeof error === "object" && error !== null ? Reflect.get(error, "specifier") : undefined;
    throw typeof name === "string" && /^mlmon(\/|$)/.test(name) ? unknownHostModule(name) : error;
  });
}

let registered: Promise<void> | undefined;

/** Registers every name once; the modules themselves are evaluated only now, not at the start of the program. */
function registerHostModules(): Promise<void> {
  registered ??= register();
  return registered;
}

async function register(): Promise<void> {
  // Awaited, or the names registered last would be missing.
  await Bun.plugin({
    name: "mlmon",
    async setup(build) {
      const loaded = await Promise.all(
        Object.entries(hostModules).map(async ([name, load]) => [name, await load()] as const),
      );
      for (const [name, exports] of loaded) build.module(name, () => ({ exports, loader: "object" }));
    },
  });
}

/**
 * ES modules stand in this cache, too: without this a reload would give what was loaded first. Packages do not change,
 * and of mlmon's own modules, when the file lies above them, there must be one instance each.
 */
function forget(folder: string): void {
  const { cache } = createRequire(import.meta.url);
  for (const file of Object.keys(cache)) {
    const isLasting = file.startsWith(ownFolder) || file.includes(`${sep}node_modules${sep}`);
    if (file.startsWith(folder) && !isLasting) delete cache[file];
  }
}

const ownFolder = fileURLToPath(new URL("..", import.meta.url));
