import type { Issue } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";
import type { Warning } from "./issues.ts";
import type { Env } from "./original.ts";

/** Reads `MLMON_AUTH`, beside `MLMON_TOKEN` the one way to say without a file that everyone may read. */
export function authVariable({ MLMON_AUTH }: Env, issues: Issue[]): "none" | undefined {
  const value = MLMON_AUTH?.trim();
  if (!value) return undefined;
  if (value.toLowerCase() === "none") return "none";
  issues.push({ path: "MLMON_AUTH", message: `expected "none", or MLMON_TOKEN with a token: found "${value}"` });
  return undefined;
}

/** Warns of each variable whose name is almost, but not quite, one that mlmon reads; others are a user's own. */
export function strayVariables(env: Env): readonly Warning[] {
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith(prefix) || known.includes(name)) return [];
    const own = name.slice(prefix.length);
    const names = known.map((each) => each.slice(prefix.length));
    const near = nearest(own, names) ?? names.find((each) => each.startsWith(`${own}_`));
    return near ? [{ path: name, message: `is not read: did you mean ${prefix}${near}?`, isMisspelt: true }] : [];
  });
}

const prefix = "MLMON_";
const known = ["STATE_DIR", "LISTEN", "TOKEN", "AUTH", "LOG_LEVEL", "LOG_FORMAT"].map((name) => prefix + name);
