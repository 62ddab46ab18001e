import type { Issue } from "../model/errors.ts";
import { Secret, secretProblem } from "../model/secret.ts";

/** Finds the secrets in a part of a configuration that cannot be read: `sinks[0].apiKey: The secret "X" is not set …`. */
export function secretIssues(value: unknown, path: string): readonly Issue[] {
  return find(value, path, new Set());
}

function find(value: unknown, path: string, seen: Set<unknown>): readonly Issue[] {
  if (value instanceof Secret) {
    const message = secretProblem(value);
    return message === undefined ? [] : [{ path, message }];
  }
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  if (Array.isArray(value)) return value.flatMap((item, index) => find(item, `${path}[${index}]`, seen));
  return Object.entries(value).flatMap(([key, inner]) => find(inner, step(path, key), seen));
}

/** The options of an entry are written as its own: `sinks[0].apiKey`, not `sinks[0].options.apiKey`. */
function step(path: string, key: string): string {
  return key === "options" || key === "host" ? path : `${path}.${key}`;
}
