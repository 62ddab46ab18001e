import type { Issue } from "../model/errors.ts";
import type { Env } from "./original.ts";

/**
 * Puts environment variables into a text, as `${NAME}` or `${NAME:-default}`; each that is not set goes to `issues` under
 * `path`, and the text is nothing then.
 */
export function expand(text: string, env: Env, path: string, issues: Issue[]): string | undefined {
  const unset = new Set<string>();
  const expanded = text.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    const value = env[name]?.trim() || fallback;
    if (value === undefined) unset.add(name);
    return value ?? "";
  });
  issues.push(...[...unset].map((name) => ({ path, message: unsetMessage(name) })));
  return unset.size > 0 ? undefined : expanded;
}

/** The name of the variable that a text is nothing but, without a default: `NAME` of `${NAME}`. */
export function variableOf(text: string): string | undefined {
  return /^\$\{(\w+)\}$/.exec(text)?.[1];
}

function unsetMessage(name: string): string {
  return `the environment variable "${name}" is not set: export it, or give a default: \${${name}:-…}`;
}
