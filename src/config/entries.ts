import * as v from "valibot";
import type { AnySink, Entry, Prepared } from "../model/define.ts";
import { ConfigError, type Issue, WorkError } from "../model/errors.ts";
import { messageOf } from "../model/message-of.ts";
import { optionNames } from "../model/option-names.ts";
import { sinkOptions } from "../model/sink-options.ts";
import { show, toIssues } from "./issues.ts";
import type { ResolvedEntry, ResolvedSink } from "./resolved.ts";

/** An entry whose options are valid, with its id. */
interface Checked<Made> extends ResolvedEntry<Made> {
  readonly host: v.InferOutput<typeof sinkOptions>;
  /** Where it stands: `sinks[1]`. */
  readonly path: string;
}

/**
 * Checks every entry of one list of a configuration, skipping falsy ones; mistakes are added to `issues` under
 * `sinks[1]`, and what is wrong is left out of the result.
 */
export function resolveEntries<E extends Entry<string, unknown>>(
  list: readonly unknown[] | undefined,
  kind: E["kind"],
  issues: Issue[],
): readonly Checked<Made<E>>[] {
  const taken = new Map<string, string>();
  return (list ?? []).flatMap((value, index) => {
    if (!value) return [];
    const path = `${kind}s[${index}]`;
    if (!isEntry<E>(value, kind)) {
      issues.push({ path, message: `expected ${expected[kind] ?? kind}: found ${describe(value)}` });
      return [];
    }
    const hostSchema = kind === "sink" ? sinkOptions : entryOptions;
    const host = v.safeParse(hostSchema, value.host);
    if (!host.success) issues.push(...toIssues(host.issues, path, (place) => optionNames(hostSchema, place)));
    const prepared = prepare(value, path);
    if ("message" in prepared) {
      issues.push(prepared);
      return [];
    }
    if (!prepared.ok) issues.push(...toIssues(prepared.issues, path, (place) => value.optionNames(place)));
    const id = host.success ? (host.output.id ?? value.type) : value.type;
    const other = taken.get(id);
    if (other)
      issues.push({
        path,
        message: `has the id "${id}" of ${other}: give it another one, ${value.type}({ … }, { id: "…" })`,
      });
    taken.set(id, path);
    if (!host.success || !prepared.ok) return [];
    const { type, options, definition } = value;
    const create = () => make(`${path}, ${type}()`, () => prepared.create() as Made<E>);
    return [{ id, type, options, definition, host: host.output, create, path }];
  });
}

/** A source or transform. */
export function simple<T>({ id, type, options, definition, create }: Checked<T>): ResolvedEntry<T> {
  return { id, type, options, definition, create };
}

/** A sink, with its delivery options. */
export function withHost({ path: _place, ...sink }: Checked<AnySink>): ResolvedSink {
  return sink;
}

type Made<E> = E extends Entry<string, infer T> ? T : never;

const entryOptions = v.strictObject({ id: sinkOptions.entries.id });

const expected: Readonly<Record<string, string>> = {
  source: "a source such as mlflow()",
  transform: "a transform such as filter(…)",
  sink: "a sink such as prometheus()",
};

/** A schema with a function that throws, such as `v.transform((text) => new URL(text))`, is the user's to mend. */
function prepare<Made>(entry: Entry<string, Made>, path: string): Prepared<Made> | Issue {
  try {
    return entry.prepare();
  } catch (cause) {
    const message = messageOf(cause);
    return { path, message: `the schema of ${entry.type}() threw instead of naming a mistake: ${message}` };
  }
}

/** A plugin that fails while it is made is the user's to mend. */
function make<T>(what: string, create: () => T): T {
  try {
    return create();
  } catch (cause) {
    if (cause instanceof ConfigError || cause instanceof WorkError) throw cause;
    throw new ConfigError(`Cannot make ${what}: ${messageOf(cause)}`, [], { cause });
  }
}

function isEntry<E extends Entry<string, unknown>>(value: unknown, kind: E["kind"]): value is E {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind && isPrepared(value);
}

/** Made by a define-function, of this mlmon: not an object that only looks so. */
function isPrepared(value: object): boolean {
  return "prepare" in value && typeof value.prepare === "function" && "optionNames" in value;
}

function describe(value: unknown): string {
  if (typeof value === "object" && value !== null && "kind" in value && "type" in value) {
    return `the ${value.kind} ${value.type}()`;
  }
  if (typeof value === "function") {
    return `${value.name ? `the function ${value.name}` : "a function"}: it must be called, with () after its name`;
  }
  return show(value);
}
