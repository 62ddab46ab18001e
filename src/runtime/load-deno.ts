import { existsSync, readFileSync, statSync } from "node:fs";
import module from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { hostModules, unknownHostModule } from "./host-modules.ts";

/** Imports a user's file under Deno. */
export async function loadWithDeno(path: string): Promise<Record<string, unknown>> {
  registerHooks();
  generation += 1;
  // The query reaches relative imports through the resolve hook: a reload is fresh as a whole.
  return import(`${pathToFileURL(path).href}?${generation}`);
}

let generation = 0;
let hooked = false;

const ownRoot = new URL("../../", import.meta.url).href;

/** Where the host's modules lie, seen from this program. */
function hostUrl(specifier: string): string | undefined {
  if (/^mlmon\//.test(specifier) && !Object.hasOwn(hostModules, specifier)) throw unknownHostModule(specifier);
  if (specifier === "mlmon") return new URL("src/index.ts", ownRoot).href;
  if (specifier === "mlmon/prometheus") return new URL("src/prometheus/index.ts", ownRoot).href;
  const plugin = /^mlmon\/plugins\/([\w-]+)$/.exec(specifier)?.[1];
  if (plugin) return new URL(`plugins/${plugin}.ts`, ownRoot).href;
  if (specifier === "valibot" || specifier === "hono" || specifier.startsWith("hono/jsx")) {
    return import.meta.resolve(specifier);
  }
  return undefined;
}

function registerHooks(): void {
  if (hooked) return;
  hooked = true;
  module.registerHooks({
    resolve(specifier, context, next) {
      const parent = context.parentURL;
      if (parent === undefined || !fromUser(parent)) return next(specifier, context);
      const host = hostUrl(specifier);
      if (host !== undefined) return { url: host, shortCircuit: true };
      if (!/^\.{1,2}\//.test(specifier)) return next(specifier, context);
      const url = new URL(specifier, parent);
      return { url: withExtension(url) + new URL(parent).search, shortCircuit: true };
    },
    load(url, context, next) {
      if (!fromUser(url) || !/\.m?ts(\?|$)/.test(url)) return next(url, context);
      return { source: withoutTypes(readFileSync(fileOf(url), "utf8")), format: "module", shortCircuit: true };
    },
  });
}

/** `"transform"`, which Deno knows and Node's types do not, takes `enum` too. */
function withoutTypes(text: string): string {
  return Reflect.apply(module.stripTypeScriptTypes, undefined, [text, { mode: "transform" }]);
}

function fromUser(url: string): boolean {
  return url.startsWith("file:") && (!url.startsWith(ownRoot) || url.includes("?"));
}

/** Adds the extension that the user has left out. */
function withExtension(url: URL): string {
  const isFile = (candidate: string) => existsSync(fileOf(candidate)) && statSync(fileOf(candidate)).isFile();
  const found = ["", ".ts", ".mts", ".js", ".mjs", "/index.ts"].find((extension) => isFile(url.href + extension));
  return url.href + (found ?? "");
}

function fileOf(url: string): string {
  return fileURLToPath(url.split("?")[0] ?? url);
}
