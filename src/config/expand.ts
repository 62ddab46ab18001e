import type { Issue } from "../model/errors.ts";
import { secret } from "../model/secret.ts";
import type { Env, OriginalSettings } from "./original.ts";

/**
 * Puts environment variables into the texts of settings, as `${NAME}` or `${NAME:-default}`; one that is not set goes to
 * `issues` under the key that `called` gives. A key that is nothing but a variable stays a secret.
 */
export function expandSettings(
  settings: OriginalSettings,
  env: Env,
  called: Partial<Record<string, string>>,
  issues: Issue[],
): OriginalSettings {
  const entries = Object.entries(settings).map(([setting, value]) => {
    if (typeof value !== "string") return [setting, value];
    const [, name] = /^\$\{(\w+)\}$/.exec(value) ?? [];
    if (setting === "pramathusApiKey" && name) return [setting, secret.env(name)];
    const path = called[setting] ?? setting;
    const unset = new Set<string>();
    const expanded = expand(value, env, unset);
    issues.push(...[...unset].map((missing) => ({ path, message: unsetMessage(missing) })));
    return [setting, unset.size > 0 ? undefined : expanded];
  });
  return Object.fromEntries(entries);
}

function expand(text: string, env: Env, unset: Set<string>): string {
  return text.replace(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, name: string, fallback?: string) => {
    const value = env[name]?.trim() || fallback;
    if (value === undefined) unset.add(name);
    return value ?? "";
  });
}

function unsetMessage(name: string): string {
  return `the environment variable "${name}" is not set: export it, or give a default: \${${name}:-…}`;
}
