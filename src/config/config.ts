import type { Awaitable } from "../model/awaitable.ts";
import type { SinkEntry, SourceEntry, TransformEntry } from "../model/define.ts";
import type { Secret } from "../model/secret.ts";

/** What `mlmon.config.ts` exports. Falsy entries are skipped: `sinks: [production && pramathus({ … })]`. */
export interface Config {
  /** Where to read; at least one. */
  readonly sources: readonly (SourceEntry | Falsy)[];
  /** Applied in this order between the sources and the journal. */
  readonly transforms?: readonly (TransformEntry | Falsy)[];
  /** Where to deliver; at least one. */
  readonly sinks: readonly (SinkEntry | Falsy)[];
  readonly series?: {
    /** How long the series of an ended run stay; `"30d"` by default. */
    readonly retention?: string | number;
    /** Live series at most, 100 000 by default; what is refused is counted and named. */
    readonly max?: number;
  };
  readonly journal?: {
    /** Size at which reading pauses until sinks catch up; `"1GiB"` by default. */
    readonly maxBytes?: string | number;
    /** Time between the oldest and the newest of what waits at which reading pauses as well; `"30d"` by default. */
    readonly maxAge?: string | number;
  };
  readonly server?: {
    /** `host:port`; `"127.0.0.1:9890"` by default. Another host than loopback needs `token` or `auth: "none"`. */
    readonly listen?: string;
    /** Asked of every request but `/-/healthy` and `/-/ready`, as `Authorization: Bearer …`; `MLMON_TOKEN` by default. */
    readonly token?: Secret;
    /** Says that everyone who reaches a non-loopback address may read; so does `MLMON_AUTH=none`. */
    readonly auth?: "none";
  };
  /** The state folder; `--state` and `MLMON_STATE_DIR` win over it. `".mlmon"` by default. */
  readonly state?: string;
}

type Falsy = false | null | undefined | "" | 0;

/** What a configuration file may export by default: the configuration, a promise of it, or a function of either. */
export type ConfigExport = Awaitable<Config> | (() => Awaitable<Config>);

/** Types a configuration; it may be an object, a promise of one, or a function that returns either. */
export function defineConfig(config: ConfigExport): ConfigExport {
  return config;
}
