/// <reference types="bun" />
import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { hostModules, unknownHostModule } from "./host-modules.ts";

/** Imports a user's file under Bun and in the binary. */
export async function loadWithBun(path: string, onFile: (path: string) => void): Promise<Record<string, unknown>> {
  await registerHostModules();
  forget();
  generation += 1;
  for (const file of filesFrom(realPath(path))) {
    users.add(file);
    onFile(file);
  }
  // A path: Bun drops the query of a file: URL and would give the old module.
  return import(`${path}?${generation}`).catch((error: unknown) => {
    const name = typeof error === "object" && error !== null ? Reflect.get(error, "specifier") : undefined;
    throw typeof name === "string" && /^mlmon(\/|$)/.test(name) ? unknownHostModule(name) : error;
  });
}

let generation = 0;
let registered: Promise<void> | undefined;

/** Every file of the user's that was ever loaded, packages and mlmon's own apart. */
const users = new Set<string>();

const { cache } = createRequire(import.meta.url);

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
      build.onResolve({ filter: /^\.{1,2}\/.*\.(m?ts|tsx|mjs|jsx)$/ }, ({ path, importer }) => {
        const file = users.has(importer) ? resolved(path, importer) : undefined;
        return file !== undefined && users.has(file) ? { path: `${file}?${generation}` } : undefined;
      });
      // A .js may be CommonJS, which is not recognised in what onLoad gives.
      build.onLoad({ filter: /\.(m?ts|tsx|mjs|jsx)\?\d+$/ }, ({ path }) => {
        const file = path.replace(/\?\d+$/, "");
        return { contents: withExtensions(readFileSync(file, "utf8"), file), loader: loaderOf(file) ?? "ts" };
      });
    },
  });
}

/**
 * ES modules stand in this cache, too, also those that failed, which are not listed. The number in its name makes a
 * module new whatever became of the one before: one that could not be linked stays for ever under its name.
 */
function forget(): void {
  for (const file of users) {
    delete cache[file];
    delete cache[`${file}?${generation}`];
  }
}

/** The file and what it imports by a relative path, as far as they can be read. */
function filesFrom(path: string, found = new Set<string>()): ReadonlySet<string> {
  // Packages do not change, and of mlmon's own modules, when the file lies above them, there must be one instance each.
  if (found.has(path) || path.startsWith(ownFolder) || path.includes(`${sep}node_modules${sep}`)) return found;
  found.add(path);
  for (const name of importsOf(path)) {
    const file = /^\.{1,2}\//.test(name) ? resolved(name, path) : undefined;
    if (file !== undefined) filesFrom(file, found);
  }
  return found;
}

function importsOf(file: string): readonly string[] {
  const loader = loaderOf(file);
  if (!loader) return [];
  try {
    return new Bun.Transpiler({ loader }).scanImports(readFileSync(file, "utf8")).map(({ path }) => path);
  } catch {
    // The import says what is wrong with it.
    return [];
  }
}

/** Bun names a module by the file behind its links. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function loaderOf(file: string): "ts" | "tsx" | "js" | "jsx" | undefined {
  const kind = /^\.[cm]?([jt]sx?)$/.exec(extname(file))?.[1];
  return kind === "ts" || kind === "tsx" || kind === "js" || kind === "jsx" ? kind : undefined;
}

/** Bun asks `onResolve` only for names that have an extension. */
function withExtensions(text: string, file: string): string {
  const names = importsOf(file).filter((name) => /^\.{1,2}\//.test(name));
  return text.replace(/(\b(?:from|import)\s*\(?\s*)(["'])(\.{1,2}\/[^"']+)\2/g, (whole, before, quote, name) => {
    const found = names.includes(name) ? resolved(name, file) : undefined;
    const plain = join(dirname(file), name);
    if (!found?.startsWith(plain)) return whole;
    return `${before}${quote}${name}${found.slice(plain.length)}${quote}`;
  });
}

function resolved(name: string, importer: string): string | undefined {
  try {
    return Bun.resolveSync(name, dirname(importer));
  } catch {
    return undefined;
  }
}

const ownFolder = fileURLToPath(new URL("..", import.meta.url));
