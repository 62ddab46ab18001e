import { createHash, randomUUID } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type Fingerprint, fingerprint } from "./fingerprint.ts";
import type { ResolvedConfig, ResolvedEntry } from "./resolved.ts";

/** A configuration that was loaded, as it is compared with the next one. */
export interface LoadedConfig {
  readonly config: ResolvedConfig;
  /** The files it was read from. */
  readonly files: readonly string[];
  /** Of the bytes of these files. */
  readonly code: string;
  readonly sources: ReadonlyMap<string, Marked>;
  readonly transforms: ReadonlyMap<string, Marked>;
  readonly sinks: ReadonlyMap<string, Marked>;
  readonly server: Fingerprint;
}

interface Marked extends Fingerprint {
  readonly definition: unknown;
}

/** Takes the fingerprints of a configuration whose loading began at `since` (Unix ms) and has ended just now. */
export function markConfig(config: ResolvedConfig, files: readonly string[], since: number): LoadedConfig {
  return {
    config,
    files: [...new Set(files)].sort(),
    code: digestFiles(files, since),
    sources: mark(config.sources),
    transforms: mark(config.transforms),
    sinks: mark(config.sinks),
    server: fingerprint(config.server.token),
  };
}

/** What a new configuration changes, by the ids of its entries. */
export interface Differences {
  readonly sources: Difference;
  readonly transforms: boolean;
  readonly sinks: Difference;
  readonly token: boolean;
  /** Of the bytes of the files of the new one. */
  readonly code: string;
  /** What takes effect at the next start only, by its path in the configuration. */
  readonly restart: readonly string[];
}

/** The ids of a list's entries, by what a reload does to them. */
export interface Difference {
  readonly kept: readonly string[];
  readonly changed: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * Compares two loads. An entry is the same when its type, options and delivery options are. What its functions refer to,
 * and the code of the user's own plugins, cannot be seen: such an entry counts as changed when a file has.
 */
export function compareConfigs(before: LoadedConfig, after: LoadedConfig): Differences {
  const isCodeNew = before.code !== after.code;
  function isSame(a: Marked | undefined, b: Marked): boolean {
    if (!a || a.digest !== b.digest) return false;
    return !isCodeNew || (!b.hasFunctions && a.definition === b.definition);
  }
  function difference(a: ReadonlyMap<string, Marked>, b: ReadonlyMap<string, Marked>): Difference {
    const ids = [...b.keys()];
    const common = ids.filter((id) => a.has(id));
    const same = new Set([...b].filter(([id, marked]) => isSame(a.get(id), marked)).map(([id]) => id));
    return {
      kept: common.filter((id) => same.has(id)),
      changed: common.filter((id) => !same.has(id)),
      added: ids.filter((id) => !a.has(id)),
      removed: [...a.keys()].filter((id) => !b.has(id)),
    };
  }
  const transforms = difference(before.transforms, after.transforms);
  const isReordered = [...before.transforms.keys()].join("\n") !== [...after.transforms.keys()].join("\n");
  return {
    sources: difference(before.sources, after.sources),
    transforms: isReordered || transforms.changed.length > 0,
    sinks: difference(before.sinks, after.sinks),
    token: before.server.digest !== after.server.digest,
    code: after.code,
    restart: lastingPaths.filter((path) => !isEqual(lasting(before.config)[path], lasting(after.config)[path])),
  };
}

const lastingPaths = ["server.listen", "state", "journal", "series"] as const;

/** What is opened once a process. */
function lasting({ server, stateDir, journal, series }: ResolvedConfig) {
  return { "server.listen": [server.host, server.port], state: stateDir, journal, series };
}

function isEqual(a: unknown, b: unknown): boolean {
  return fingerprint(a).digest === fingerprint(b).digest;
}

function mark(entries: readonly (ResolvedEntry<unknown> & { readonly host?: unknown })[]) {
  return new Map(
    entries.map(({ id, type, options, host, definition }): [string, Marked] => [
      id,
      { ...fingerprint({ type, options, host }), definition },
    ]),
  );
}

/**
 * Takes the digest of the files from which a configuration was loaded since then (Unix ms); one that equals nothing when
 * a file may have changed meanwhile.
 */
export function digestFiles(files: readonly string[], since: number): string {
  const hash = createHash("sha256");
  for (const file of [...new Set(files)].sort()) {
    try {
      hash.update(`${file}\n`).update(readFileSync(file));
      // Perhaps written after it was read: then it equals nothing, itself included.
      if (statSync(file).mtimeMs >= since) return randomUUID();
    } catch {
      return randomUUID();
    }
  }
  return hash.digest("hex");
}
