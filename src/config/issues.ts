import type * as v from "valibot";
import type { Issue } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";
import { Secret } from "../model/secret.ts";

/** What deserves a word but is no mistake. */
export interface Warning extends Issue {
  /** Whether it names a key or variable that is almost one that is read: a mistake where the check is `"strict"`. */
  readonly isMisspelt?: boolean;
}

/** The options there are at a place: `["retry"]` of a sink gives `["base", "cap"]`. */
export type NamesAt = (place: readonly unknown[]) => readonly string[];

/**
 * Makes valibot's issues into one sentence each, under a path such as `sinks[1]`: what was expected, what was found,
 * and for a misspelt option the nearest one. Of several issues of one value the first is told.
 */
export function toIssues(issues: readonly v.BaseIssue<unknown>[], path: string, names: NamesAt): readonly Issue[] {
  const told = new Map<string, Issue>();
  for (const issue of issues.flatMap((one) => toIssue(one, path, names))) {
    if (!told.has(issue.path)) told.set(issue.path, issue);
  }
  return [...told.values()];
}

/** Shows a value in a message: short, secrets masked, objects by their kind. */
export function show(value: unknown): string {
  if (value instanceof Secret) return String(value);
  if (typeof value === "string") return `"${short(withoutCredentials(value))}"`;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}

function toIssue(issue: v.BaseIssue<unknown>, path: string, names: NamesAt): readonly Issue[] {
  const alternatives = issue.issues?.filter((inner) => inner.path && inner.path.length > 0) ?? [];
  if (alternatives.length > 0) return alternatives.flatMap((inner) => toIssue(inner, join(path, issue), names));
  if (issue.type === "strict_object" && issue.expected === "never") return unknownOptions(issue, path, names);
  return [{ path: join(path, issue), message: sentence(issue) }];
}

/** Every option beside the one of the issue that is unknown as well: valibot stops at the first of an object. */
function unknownOptions(issue: v.BaseIssue<unknown>, path: string, names: NamesAt): readonly Issue[] {
  const above = issue.path?.slice(0, -1) ?? [];
  const last = issue.path?.at(-1);
  const known = names(above.map(({ key }) => key));
  const given = typeof last?.input === "object" && last.input !== null ? Object.keys(last.input) : [];
  const unknown = known.length > 0 ? given.filter((key) => !known.includes(key)) : [String(last?.key)];
  return unknown.map((key) => {
    const near = nearest(key, known);
    const message = `unknown option: ${near ? `did you mean "${near}"?` : remedy(known)}`;
    return { path: joined(path, [...above.map(({ key }) => key), key]), message };
  });
}

function sentence(issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.at(-1)?.key;
  if (/object$/.test(issue.type) && issue.expected === `"${String(key)}"`) return "is missing";
  // Of a table as a whole the message says it all.
  if (issue.type === "check" && typeof issue.input === "object" && !Array.isArray(issue.input)) return issue.message;
  if (issue.input === undefined) return `is missing: expected ${expected(issue)}`;
  return `expected ${expected(issue)}: found ${isSensitive(key) ? "a value that is not shown" : show(issue.input)}`;
}

function remedy(known: readonly string[]): string {
  return known.length > 0 ? `expected one of ${known.map((name) => `"${name}"`).join(", ")}` : "remove it";
}

/** A schema's own message says what is expected; valibot's built-in ones begin with "Invalid". */
function expected(issue: v.BaseIssue<unknown>): string {
  if (!/^Invalid /.test(issue.message)) return issue.message;
  const wanted = issue.expected ?? "";
  const bound = /^([<>]=?)(.*)$/.exec(wanted);
  if (bound) return `${issue.type.includes("length") ? "a length of " : ""}${bounds[bound[1] ?? ""]} ${bound[2]}`;
  if (issue.type === "starts_with") return `a text that starts with ${wanted}`;
  return plain[wanted] ?? plain[issue.type] ?? (withoutUnion(wanted) || issue.type.replaceAll("_", " "));
}

/** `("a" | "b")` as people write it. */
function withoutUnion(wanted: string): string {
  return wanted.replace(/^\((.*)\)$/, "$1").replaceAll(" | ", " or ");
}

const bounds: Readonly<Record<string, string>> = {
  ">=": "at least",
  "<=": "at most",
  ">": "more than",
  "<": "less than",
};

/** What valibot expects, in the words of someone who writes a configuration. */
const plain: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  Object: "an object with options",
  Array: "a list",
  "!0": "a text that is not empty",
};

function join(path: string, issue: v.BaseIssue<unknown>): string {
  return joined(
    path,
    (issue.path ?? []).map(({ key }) => key),
  );
}

function joined(path: string, keys: readonly unknown[]): string {
  return keys.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, path);
}

function isSensitive(key: unknown): boolean {
  return typeof key === "string" && /key|token|password|secret/i.test(key);
}

/** The user, password and query of an address are nobody's business, with or without a scheme before them. */
function withoutCredentials(text: string): string {
  return text
    .replace(/\/\/\S*@/, "//")
    .replace(/^[^\s/]*:\S*@/, "")
    .replace(/\?.*$/s, "");
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
