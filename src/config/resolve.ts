import * as v from "valibot";
import type { SinkEntry, SourceEntry, TransformEntry } from "../model/define.ts";
import { ConfigError, type Issue } from "../model/errors.ts";
import { option } from "../model/option.ts";
import { optionNames } from "../model/option-names.ts";
import type { Secret } from "../model/secret.ts";
import { resolveEntries, simple, withHost } from "./entries.ts";
import { show, toIssues, type Warning } from "./issues.ts";
import { defaultListen, isLoopback, parseListen } from "./listen.ts";
import type { ResolvedConfig } from "./resolved.ts";
import { secretIssues } from "./secrets.ts";

/** What is known of a configuration beside its content. */
export interface ResolveOptions {
  /** The file's name, or `"environment"`. */
  readonly origin: string;
  readonly secrets: SecretsCheck;
  /** `--listen` or `MLMON_LISTEN`: wins over the file. */
  readonly listen?: string | undefined;
  /** `--state` and its variables: wins over the file. */
  readonly stateDir?: string | undefined;
  /** `MLMON_TOKEN`: where the file gives neither a token nor `auth: "none"`. */
  readonly token?: Secret | undefined;
  /** `MLMON_AUTH=none`: as `server.auth: "none"` in the file; a token wins over it. */
  readonly auth?: "none" | undefined;
  /** Mistakes found while the configuration was read. */
  readonly issues?: readonly Issue[];
  /** What the user calls a place, where it is not its path: `sources[0].trackingUri` is `MLFLOW_TRACKING_URI`. */
  readonly names?: Readonly<Record<string, string>>;
  readonly warnings?: readonly Warning[];
}

/**
 * An unset secret is a mistake, a warning (`validate`, `dry-run`), or of no account, for what sends nothing to sinks; or
 * a mistake only where it belongs to what is read or to the one sink that is delivered to. `"strict"` (`validate --strict`)
 * is `"required"`, and a key or variable that is almost one that is read is a mistake, too.
 */
export type SecretsCheck = "required" | "strict" | "warn" | "ignore" | { readonly ofSink: string };

/**
 * Checks a whole configuration and fills in the defaults; throws one `ConfigError` that names every mistake, then every
 * warning.
 */
export function resolveConfig(config: unknown, options: ResolveOptions): ResolvedConfig {
  const named = ({ path, message }: Issue): Issue => ({ path: options.names?.[path] ?? path, message });
  const parsed = v.safeParse(configSchema, config);
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new ConfigError(
      `Cannot use the configuration "${options.origin}": expected an object { sources: […], sinks: […] }: found ${show(config)}`,
    );
  }
  const issues: Issue[] = parsed.success
    ? []
    : [...toIssues(parsed.issues, "", (place) => optionNames(configSchema, place))];
  const lists = v.safeParse(looseConfig, config);
  const loose = lists.success ? lists.output : { sources: [], transforms: [], sinks: [], server: {} };

  const sources = resolveEntries<SourceEntry>(loose.sources, "source", issues).map(simple);
  const transforms = resolveEntries<TransformEntry>(loose.transforms, "transform", issues).map(simple);
  const sinks = resolveEntries<SinkEntry>(loose.sinks, "sink", issues);
  if (isEmpty(Reflect.get(config, "sources"))) issues.push({ path: "sources", message: "is empty: add mlflow()" });
  if (isEmpty(Reflect.get(config, "sinks"))) issues.push({ path: "sinks", message: "is empty: add prometheus()" });

  const unset = ["sources", "transforms", "sinks", "server"].flatMap((key) =>
    secretIssues(Reflect.get(loose, key), key),
  );
  const isStrict = options.secrets === "strict";
  if (isStrict || options.secrets === "required") issues.push(...unset);
  if (typeof options.secrets === "object") {
    const { ofSink } = options.secrets;
    const others = ["server", ...sinks.filter(({ id }) => id !== ofSink).map(({ path }) => path)];
    issues.push(...unset.filter(({ path }) => !others.some((other) => path.startsWith(`${other}.`))));
  }
  const { server } = loose;
  const token = server.token ?? (server.auth === "none" ? undefined : options.token);
  const isOpen = server.auth === "none" || options.auth === "none";
  const place = options.listen ?? server.listen;
  const listen = place === undefined ? defaultListen : parseListen(place);
  if (!listen) {
    const message = `expected host:port such as "127.0.0.1:9890": found ${show(place)}`;
    issues.push({ path: "server.listen", message });
  } else if (!isLoopback(listen.host) && !token && !isOpen) {
    const mend = isFile(options)
      ? 'set server.token or the variable MLMON_TOKEN, or server.auth to "none"'
      : "set the variable MLMON_TOKEN, or MLMON_AUTH=none to let everyone read";
    issues.push({ path: "server.listen", message: `everyone who reaches "${listen.host}" could read: ${mend}` });
  }
  const noted: readonly Warning[] = [
    ...(options.warnings ?? []),
    ...(options.secrets === "warn" ? unset.map(named) : []),
  ];
  const misspelt = noted.filter(({ isMisspelt }) => isStrict && isMisspelt);
  const warnings = noted.filter((warning) => !misspelt.includes(warning));
  issues.push(...misspelt);
  if (issues.length > 0 || options.issues?.length || !parsed.success || !listen) {
    const found = [...(options.issues ?? []), ...issues.map(named)];
    const beside = warnings.map(({ path, message }) => ({ path, message: `warning: ${message}` }));
    throw new ConfigError(`Cannot use the configuration "${options.origin}"`, [...found, ...beside]);
  }
  const checked = parsed.output;
  return {
    origin: options.origin,
    sources,
    transforms,
    sinks: sinks.map(withHost),
    series: { retentionMs: checked.series.retention, max: checked.series.max },
    journal: { maxBytes: checked.journal.maxBytes, maxAgeMs: checked.journal.maxAge },
    server: { ...listen, token },
    stateDir: options.stateDir ?? checked.state,
    warnings: warnings.map(({ path, message }) => `${path}: ${message}`),
  };
}

/** Whether there is a file in which more can be set than by variables. */
function isFile({ origin }: ResolveOptions): boolean {
  return !/^(environment|demo)$|\.ya?ml$/.test(origin);
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && !list.some(Boolean);
}

const serverSchema = v.optional(
  v.strictObject({
    listen: v.optional(v.string()),
    token: v.optional(option.secret("server.token")),
    auth: v.optional(v.literal("none")),
  }),
  {},
);

const configSchema = v.strictObject({
  sources: v.array(v.unknown(), "a list of sources"),
  transforms: v.optional(v.array(v.unknown(), "a list of transforms"), []),
  sinks: v.array(v.unknown(), "a list of sinks"),
  series: v.optional(
    v.strictObject({
      retention: v.optional(option.duration(), "30d"),
      max: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 100_000),
    }),
    {},
  ),
  journal: v.optional(
    v.strictObject({
      maxBytes: v.optional(option.size(), "1GiB"),
      maxAge: v.optional(option.duration(), "30d"),
    }),
    {},
  ),
  server: serverSchema,
  state: v.optional(v.string()),
});

/** Lets the entries and the server of a configuration with another mistake be checked, too. */
const looseConfig = v.looseObject({
  sources: v.fallback(v.array(v.unknown()), []),
  transforms: v.fallback(v.optional(v.array(v.unknown()), []), []),
  sinks: v.fallback(v.array(v.unknown()), []),
  server: v.fallback(serverSchema, {}),
});
