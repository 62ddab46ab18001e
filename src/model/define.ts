import * as v from "valibot";
import { optionNames } from "./option-names.ts";
import type { HttpSink, Sink } from "./sink.ts";
import type { SinkOptions } from "./sink-options.ts";
import type { Source, Transform } from "./source.ts";

/** An inert entry of a configuration: nothing is validated, opened or sent until the whole file has been loaded. */
export interface Entry<Kind extends string, Made> {
  readonly kind: Kind;
  /** The type it was defined with: `"pramathus"`. */
  readonly type: string;
  /** As written by the user, not yet validated. */
  readonly options: unknown;
  /** Delivery options of a sink, `{ id }` of the others, not yet validated. */
  readonly host: unknown;
  /** The function it was defined with: the same in each load when its code is mlmon's own or a package's. */
  readonly definition: unknown;
  /** The names of its options, or of those under a place such as `["retry"]`, to tell a misspelt one. */
  optionNames(place: readonly unknown[]): readonly string[];
  /** Validates the options and returns what makes the part, or valibot's issues. Called once per load. */
  prepare(): Prepared<Made>;
}

/** Options after the check: what makes the part, or the mistakes. */
export type Prepared<Made> =
  | { readonly ok: true; create(): Made }
  | { readonly ok: false; readonly issues: readonly v.BaseIssue<unknown>[] };

/** What `mlflow()`, or the factory that `defineSource` returns, puts into the list `sources`. */
export type SourceEntry = Entry<"source", Source>;
/** What `filter()`, or the factory that `defineTransform` returns, puts into the list `transforms`. */
export type TransformEntry = Entry<"transform", Transform>;
/** What `prometheus()`, or the factory that `defineHttpSink` or `defineSink` returns, puts into the list `sinks`. */
export type SinkEntry = Entry<"sink", AnySink>;

/** A sink as the host sees it: one over HTTP, or one that delivers by itself. */
export type AnySink =
  | { readonly transport: "http"; readonly sink: HttpSink }
  | { readonly transport: "own"; readonly sink: Sink<unknown> };

/** Options may be left out when the schema accepts `{}`. */
type Arguments<Schema extends v.GenericSchema, Host> =
  Record<never, never> extends v.InferInput<Schema>
    ? [options?: v.InferInput<Schema>, host?: Host]
    : [options: v.InferInput<Schema>, host?: Host];

/** Defines a source type; the returned factory is called in a configuration. */
export function defineSource<Schema extends v.GenericSchema>(
  type: string,
  schema: Schema,
  create: (options: v.InferOutput<Schema>) => Source,
): (...args: Arguments<Schema, EntryOptions>) => SourceEntry {
  return (...args) => entry("source", type, schema, create, args, create);
}

/** Defines a transform type; the returned factory is called in a configuration. */
export function defineTransform<Schema extends v.GenericSchema>(
  type: string,
  schema: Schema,
  create: (options: v.InferOutput<Schema>) => Transform,
): (...args: Arguments<Schema, EntryOptions>) => TransformEntry {
  return (...args) => entry("transform", type, schema, create, args, create);
}

/** Defines a sink over HTTP: it renders requests, and mlmon sends, retries, splits and previews them. */
export function defineHttpSink<Schema extends v.GenericSchema>(
  type: string,
  schema: Schema,
  create: (options: v.InferOutput<Schema>) => HttpSink,
): (...args: Arguments<Schema, SinkOptions>) => SinkEntry {
  return (...args) =>
    entry("sink", type, schema, (options): AnySink => ({ transport: "http", sink: create(options) }), args, create);
}

/** Defines a sink that carries its requests by itself: to a file, a socket, a page. */
export function defineSink<Schema extends v.GenericSchema, Request>(
  type: string,
  schema: Schema,
  create: (options: v.InferOutput<Schema>) => Sink<Request>,
): (...args: Arguments<Schema, SinkOptions>) => SinkEntry {
  return (...args) =>
    entry("sink", type, schema, (options): AnySink => ({ transport: "own", sink: create(options) }), args, create);
}

/** What the host reads from the second argument of a source or transform. */
export interface EntryOptions {
  /** Names the entry in logs, metrics and state; its type by default. */
  readonly id?: string;
}

function entry<Kind extends string, Schema extends v.GenericSchema, Made>(
  kind: Kind,
  type: string,
  schema: Schema,
  create: (options: v.InferOutput<Schema>) => Made,
  args: readonly [options?: unknown, host?: unknown],
  definition: unknown,
): Entry<Kind, Made> {
  const [options = {}, host = {}] = args;
  return {
    kind,
    type,
    options,
    host,
    definition,
    optionNames: (place) => optionNames(schema, place),
    prepare() {
      const parsed = v.safeParse(schema, options);
      if (!parsed.success) return { ok: false, issues: parsed.issues };
      return { ok: true, create: () => create(parsed.output) };
    },
  };
}
