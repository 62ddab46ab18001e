import { Buffer } from "node:buffer";
import { existsSync, readFileSync, statSync } from "node:fs";
import module from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { hostModules, unknownHostModule } from "./host-modules.ts";

/** Imports a user's file under Deno. */
export async function loadWithDeno(path: string, onFile: (path: string) => void): Promise<Record<string, unknown>> {
  registerHooks();
  generation += 1;
  loading = onFile;
  // The query reaches relative imports through the resolve hook: a reload is fresh as a whole.
  return import(`${pathToFileURL(path).href}?${generation}`);
}

let generation = 0;
let loading: (path: string) => void = () => {};
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
      if (!/^\.{1,2}\//.test(specifier)) return existing(specifier, next(specifier, context));
      const url = withExtension(new URL(specifier, parent));
      if (url === undefined) throw new Error(`Cannot find module '${specifier}' imported from ${fileOf(parent)}`);
      return { url: url + new URL(parent).search, shortCircuit: true };
    },
    load(url, context, next) {
      if (fromUser(url) && !isPackage(url)) loading(fileOf(url));
      if (!fromUser(url) || !/\.m?ts(\?|$)/.test(url)) return next(url, context);
      return { source: withoutTypes(fileOf(url)), format: "module", shortCircuit: true };
    },
  });
}

/** For a package it does not find Deno gives the address of a file that is not there. */
function existing<T extends { readonly url: string }>(specifier: string, found: T): T {
  if (!found.url.startsWith("file:") || existsSync(fileOf(found.url))) return found;
  throw new Error(`Cannot find package '${specifier}': install it beside the file that imports it`);
}

/** The map of lines goes with it: Deno would take that of its own compilation, which is another. */
function withoutTypes(file: string): string {
  const whole = compiled(file);
  const at = whole.lastIndexOf(mapHead) + mapHead.length;
  const map = JSON.parse(Buffer.from(whole.slice(at), "base64").toString());
  const named = JSON.stringify({ ...map, sources: [pathToFileURL(file).href] });
  return whole.slice(0, at) + Buffer.from(named).toString("base64");
}

const mapHead = "//# sourceMappingURL=data:application/json;base64,";

/** `"transform"`, which Node's types do not know, takes `enum` too. */
function compiled(file: string): string {
  const how = { mode: "transform", sourceMap: true };
  try {
    return Reflect.apply(module.stripTypeScriptTypes, undefined, [readFileSync(file, "utf8"), how]);
  } catch (cause) {
    const [first = "", ...rest] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    const line = /:(\d+):\d+\s*$/.exec(rest.join("\n"))?.[1];
    throw new SyntaxError(`${file}${line ? ` line ${line}` : ""}: ${first}`, { cause });
  }
}

function fromUser(url: string): boolean {
  return url.startsWith("file:") && (!url.startsWith(ownRoot) || url.includes("?"));
}

function isPackage(url: string): boolean {
  return url.includes("/node_modules/");
}

/** Adds the extension that the user has left out; nothing when there is no such file. */
function withExtension(url: URL): string | undefined {
  const isFile = (candidate: string) => existsSync(fileOf(candidate)) && statSync(fileOf(candidate)).isFile();
  const found = ["", ".ts", ".mts", ".js", ".mjs", "/index.ts"].find((extension) => isFile(url.href + extension));
  return found === undefined ? undefined : url.href + found;
}

function fileOf(url: string): string {
  return fileURLToPath(url.split("?")[0] ?? url);
}
