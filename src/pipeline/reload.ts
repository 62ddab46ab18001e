import { compareConfigs, type Differences, type LoadedConfig, markConfig } from "../config/compare.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { ConfigError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import { maskSecrets } from "../model/secret.ts";
import type { ReloadReport } from "../server/status.ts";

/** Loads the configuration again; `onFile` is called with each file that is read, also when loading fails. */
export type Load = (onFile: (path: string) => void) => Promise<ResolvedConfig>;

/** Takes a new configuration at any time, one after the other. */
export interface Reloader {
  /**
   * Loads, checks, compares and applies; resolves with what has changed. Rejects when the configuration cannot be used:
   * then nothing has changed, and log and report say so. Calls during one are answered together by one more.
   */
  reload(cause: string): Promise<Differences>;
  report(): ReloadReport;
  /** The configuration at work. */
  config(): ResolvedConfig;
  /** What the last load has read, and the one at work: a mistake may be mended in either. */
  files(): readonly string[];
}

/** What a reload loads and applies. */
export interface ReloaderOptions {
  /** The configuration at work since the start. */
  readonly first: LoadedConfig;
  readonly load: Load;
  readonly apply: (config: ResolvedConfig, differences: Differences) => Promise<void>;
  readonly log: Log;
  readonly now: () => number;
}

/** Makes the reloader of a service; called once. */
export function createReloader({ first, load, apply, log, now }: ReloaderOptions): Reloader {
  let current = first;
  let tried: readonly string[] = [];
  let report: ReloadReport = { successful: true, lastSuccess: now(), lastError: undefined };
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<Differences> | undefined;

  function reload(cause: string): Promise<Differences> {
    next ??= running.then(async () => {
      next = undefined;
      return reloadNow(cause);
    });
    running = next.catch(() => undefined);
    return next;
  }

  async function reloadNow(cause: string): Promise<Differences> {
    const files: string[] = [];
    try {
      const since = now();
      const config = await load((path) => files.push(path));
      const after = markConfig(config, files, since);
      const differences = compareConfigs(current, after);
      await apply(config, differences);
      current = after;
      report = { successful: true, lastSuccess: now(), lastError: undefined };
      log.info("The configuration was loaded again", { by: cause, ...shown(differences) });
      if (differences.restart.length > 0) {
        log.warn("What has changed in these places takes effect at the next start", {
          places: differences.restart.join(", "),
        });
      }
      return differences;
    } catch (error) {
      const reason = explainReload(error);
      report = { ...report, successful: false, lastError: { time: now(), reason } };
      log.error("The configuration was not loaded again and stays as it was", { by: cause, reason });
      throw error;
    } finally {
      tried = files;
    }
  }

  return {
    reload,
    report: () => report,
    config: () => current.config,
    files: () => [...new Set([...current.files, ...tried])],
  };
}

/** Why a configuration was not taken, with every mistake, on one line. */
export function explainReload(error: unknown): string {
  if (error instanceof ConfigError && error.issues.length > 0) {
    return maskSecrets(
      `${error.message}: ${error.issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
    );
  }
  return messageOf(error);
}

/** What was added, changed and removed, for people: `sinks: "added backup"`; nothing when all is the same. */
export function shown({ sources, transforms, sinks, token }: Differences): Readonly<Record<string, string>> {
  const words = ({ added, changed, removed }: Differences["sinks"]) =>
    Object.entries({ added, changed, removed })
      .filter(([, ids]) => ids.length > 0)
      .map(([verb, ids]) => `${verb} ${ids.join(", ")}`)
      .join("; ");
  const fields = {
    sources: words(sources),
    transforms: transforms ? "changed" : "",
    sinks: words(sinks),
    token: token ? "changed" : "",
  };
  const news = Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ""));
  return Object.keys(news).length === 0 ? { changes: "none" } : news;
}
