import type * as v from "valibot";
import type { Issue } from "../model/errors.ts";
import { Secret } from "../model/secret.ts";
import { nearest } from "./nearest.ts";

/**
 * Makes valibot's issues into one sentence each, under a path such as `sinks[1]`: what was expected, what was found,
 * and for a misspelt option the nearest one. `known` are the options there are.
 */
export function toIssues(
  issues: readonly v.BaseIssue<unknown>[],
  path: string,
  known: readonly string[] = [],
): readonly Issue[] {
  return issues.flatMap((issue) => {
    const alternatives = issue.issues?.filter((inner) => inner.path && inner.path.length > 0);
    if (alternatives && alternatives.length > 0) return toIssues(alternatives, join(path, issue), known);
    return [{ path: join(path, issue), message: sentence(issue, known) }];
  });
}

/** Shows a value in a message: short, secrets masked, objects by their kind. */
export function show(value: unknown): string {
  if (value instanceof Secret) return String(value);
  if (typeof value === "string") return `"${withoutCredentials(value.length > 80 ? `${value.slice(0, 79)}…` : value)}"`;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

function sentence(issue: v.BaseIssue<unknown>, known: readonly string[]): string {
  const key = issue.path?.at(-1)?.key;
  if (issue.type === "strict_object" && issue.expected === "never") {
    const name = String(key);
    const near = nearest(name, known);
    const hint = near ? `did you mean "${near}"?` : known.length > 0 ? `expected one of ${list(known)}` : "remove it";
    return `unknown option "${name}": ${hint}`;
  }
  if (issue.type === "strict_object" && issue.received === "undefined") return "is missing";
  if (issue.input === undefined) return `is missing: expected ${expected(issue)}`;
  return `expected ${expected(issue)}: found ${isSensitive(key) ? "a value that is not shown" : show(issue.input)}`;
}

function expected(issue: v.BaseIssue<unknown>): string {
  // A schema's own message says what is expected; valibot's built-in ones begin with "Invalid".
  if (!/^Invalid /.test(issue.message)) return issue.message;
  return issue.expected ?? issue.type.replaceAll("_", " ");
}

function join(path: string, issue: v.BaseIssue<unknown>): string {
  return (issue.path ?? []).reduce((text, { key }) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, path);
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

function isSensitive(key: unknown): boolean {
  return typeof key === "string" && /key|token|password|secret/i.test(key);
}

/** The user, password and query of an address are nobody's business. */
function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/, "//").replace(/\?.*$/, "");
}
