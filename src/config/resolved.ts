import type { AnySink } from "../model/define.ts";
import type { Secret } from "../model/secret.ts";
import type { CheckedSinkOptions } from "../model/sink-options.ts";
import type { Source, Transform } from "../model/source.ts";

/** A configuration after every check: defaults filled in, ids given, parts ready to be made. */
export interface ResolvedConfig {
  /** The file it came from as the user named it, or `"environment"`. */
  readonly origin: string;
  readonly sources: readonly ResolvedEntry<Source>[];
  readonly transforms: readonly ResolvedEntry<Transform>[];
  readonly sinks: readonly ResolvedSink[];
  readonly series: { readonly retentionMs: number; readonly max: number };
  readonly journal: { readonly maxBytes: number; readonly maxAgeMs: number };
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly token: Secret | undefined;
  };
  readonly stateDir: string | undefined;
  /** What deserves a word but is no mistake: unset secrets under `dry-run`, YAML keys without a counterpart. */
  readonly warnings: readonly string[];
}

/** A source, transform or sink whose options are valid. */
export interface ResolvedEntry<Made> {
  readonly id: string;
  readonly type: string;
  /** As written by the user; absent when mlmon made the entry itself. */
  readonly options?: unknown;
  /** The function it was defined with, as of `Entry`. */
  readonly definition?: unknown;
  create(): Made;
}

/** A sink with its delivery options. */
export interface ResolvedSink extends ResolvedEntry<AnySink> {
  readonly host: CheckedSinkOptions;
}
