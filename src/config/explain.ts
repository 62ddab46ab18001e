import { basename, dirname, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/**
 * Says in one line what went wrong in a user's file, with the place when the runtime names one: `line 3: boom`, and
 * `plugins/ntfy.ts line 3: boom` for a file that `path` imports. Never a stack.
 */
export function explain(cause: unknown, path: string): string {
  try {
    return explained(cause, path);
  } catch {
    return "it threw an object that cannot be read";
  }
}

function explained(cause: unknown, path: string): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map((error) => explain(error, path)).join("; ");
  }
  if (typeof cause !== "object" || cause === null) return `it threw ${JSON.stringify(cause) ?? cause}`;
  const message = Reflect.get(cause, "message");
  if (typeof message !== "string") return "it threw an object that is no Error";
  const [line = ""] = message.split("\n");
  const place = parsePlace(Reflect.get(cause, "position")) ?? stackPlace(Reflect.get(cause, "stack"), path);
  return place ? `${shownPlace(place, path)}: ${clean(line, path)}` : clean(line, path);
}

interface Place {
  readonly file: string;
  readonly line: string;
}

/** Where Bun's parser stopped. */
function parsePlace(position: unknown): Place | undefined {
  if (typeof position !== "object" || position === null || !("line" in position)) return undefined;
  const file = "file" in position && typeof position.file === "string" ? position.file.replace(/\?\d+$/, "") : "";
  return { file, line: String(position.line) };
}

/** The topmost frame in the folder of the configuration. */
function stackPlace(stack: unknown, path: string): Place | undefined {
  if (typeof stack !== "string") return undefined;
  const folder = dirname(path) + sep;
  for (const line of stack.split("\n").slice(1)) {
    const match = /((?:file:\/\/)?[^\s(].*?)(?:\?\d+)?:(\d+):\d+\)?$/.exec(line.replace(/^\s*at (?:.* \()?/, ""));
    const [, raw = "", number = ""] = match ?? [];
    const file = raw.startsWith("file:") ? fileURLToPath(raw) : raw;
    if (file.startsWith(folder)) return { file, line: number };
  }
  return undefined;
}

function shownPlace({ file, line }: Place, path: string): string {
  return file === "" || file === path ? `line ${line}` : `${relative(dirname(path), file)} line ${line}`;
}

/** The runtimes name whole paths, Deno also the number of the load, and it puts the error's name before its words. */
function clean(line: string, path: string): string {
  const folder = dirname(path) + sep;
  const short = line
    .replaceAll(pathToFileURL(folder).href, "")
    .replaceAll(folder, "")
    .replace(/(\.m?[jt]sx?)\?\d+/g, "$1")
    .replace(/(\w*Error: )+/, "");
  const own = `${basename(path)} line `;
  return short.startsWith(own) ? short.slice(basename(path).length + 1) : short;
}
