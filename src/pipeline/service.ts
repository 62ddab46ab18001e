import { existsSync } from "node:fs";
import process from "node:process";
import { type Differences, markConfig } from "../config/compare.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { watchFiles } from "../config/watch.ts";
import { createSender } from "../delivery/send.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import { openStateFolder } from "../journal/state-folder.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import { plural } from "../model/plural.ts";
import { version } from "../runtime/version.ts";
import { createApp, type Reloaded } from "../server/app.tsx";
import { createOwnMetrics } from "../server/own-metrics.ts";
import type { Status } from "../server/status.ts";
import { closingAll } from "./closing.ts";
import { watchFolder } from "./folder-warning.ts";
import { openPipeline } from "./open-pipeline.ts";
import { createQueueDoor } from "./queue-door.ts";
import { createReloader, explainReload, type Load, shown } from "./reload.ts";
import { report } from "./report.ts";
import { openStatusServer, tryListen } from "./status-server.ts";
import { connectSystemd } from "./systemd.ts";
import { watchFill } from "./watch-fill.ts";
import { watchLedger } from "./watch-ledger.ts";

/** What a service runs, and whom it tells. */
export interface ServiceOptions {
  readonly config: ResolvedConfig;
  readonly log: Log;
  /** Without it the configuration stays what it is. */
  readonly reload?: ReloadOptions;
  /** Stops the service in order when it fires. */
  readonly signal: AbortSignal;
  /** How long sinks may then take to deliver what waits, ms; 10 s by default. */
  readonly drainMs?: number;
  readonly now?: () => number;
  /** Names the service manager to be told (`NOTIFY_SOCKET`, `WATCHDOG_USEC`); the process's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly onProgress?: (source: string, progress: Progress) => void;
  /** Called once, when the status server listens and reading starts. */
  readonly onStarted?: (started: Started) => void;
}

/** How a service gets its configuration again. */
export interface ReloadOptions {
  readonly load: Load;
  /** What the configuration at the start was read from, and from when on (Unix ms). */
  readonly files: readonly string[];
  readonly since: number;
  /** Loads again whenever one of the files has changed. */
  readonly watch: boolean;
}

/** A service that has started. */
export interface Started {
  /** `http://127.0.0.1:9890` */
  readonly url: string;
  readonly stateDir: string;
  status(): Status;
  /** Loads the configuration again; rejects when nothing was changed, which is in the log. */
  reload(cause: string): Promise<Differences>;
}

/**
 * Runs mlmon until the signal fires: the state folder, the journal, the pipeline, the status server. Throws `WorkError`
 * for a folder that cannot be used, a damaged journal or a port in use; never because MLflow or a sink is away.
 */
export async function runService({ config, log, signal, now = Date.now, ...options }: ServiceOptions): Promise<void> {
  const startedAt = now();
  const { drainMs = 10_000, env = process.env } = options;
  return closingAll(async (opened) => {
    const systemd = await connectSystemd({ env, log });
    opened.push(() => systemd.close());
    const stateDir = config.stateDir ?? ".mlmon";
    // Who mistakes the port shall not find a folder made for nothing.
    if (!existsSync(stateDir)) await tryListen(config);
    const folder = await openStateFolder(stateDir);
    opened.push(() => folder.close());
    if (folder.warning) log.warn(folder.warning);
    const journal = await openJournal({ path: folder.journalPath, ...config.journal, now });
    opened.push(() => journal.close());

    const first = markConfig(config, options.reload?.files ?? [], options.reload?.since ?? startedAt);
    const metrics = createOwnMetrics(() => status());
    const ownMetrics = () => metrics.text();
    const pipeline = await openPipeline({
      config,
      code: first.code,
      journal,
      log,
      now,
      ownMetrics,
      once: false,
      stateDir: folder.path,
      send: createSender({ version }),
      drainMs,
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    opened.push(() => pipeline.close());
    opened.push(watchFolder(folder, log));
    opened.push(watchLedger(journal, log));
    opened.push(watchFill(journal, () => status().sinks, log));
    const reloader = createReloader({
      first,
      load: options.reload?.load ?? (async () => config),
      async apply(next, differences) {
        await pipeline.apply(next, differences);
        server.update(next);
      },
      log,
      now,
    });
    const status = () => {
      const [config, reload] = [reloader.config(), reloader.report()];
      return report({ config, reload, folder, journal, pipeline, version, startedAt, now });
    };
    async function reload(cause: string): Promise<Differences> {
      systemd.reloading();
      return reloader.reload(cause).finally(() => systemd.reloaded());
    }

    const { queue, key, ...door } = createQueueDoor({ journal, pipeline, log, startedAt, now });
    const server = await openStatusServer(config, (token, host) =>
      createApp({
        status,
        token,
        host,
        key,
        queue,
        ownMetrics,
        routes: pipeline.routes,
        log,
        reload: options.reload && (() => answer(reload("POST /-/reload"), signal)),
      }),
    );
    opened.push(() => server.stop());
    opened.push(door.open(folder.path, server.url));
    if (options.reload?.watch) {
      const onChange = () => void reload("--watch").catch(() => undefined);
      opened.push(watchFiles({ files: reloader.files, since: options.reload.since, onChange }));
    }
    options.onStarted?.({ url: server.url, stateDir: folder.path, status, reload });

    systemd.ready(() => describe(status()));
    // What sinks and the journal take to close comes on top.
    signal.addEventListener("abort", () => systemd.stopping(drainMs + 15_000), { once: true });
    await pipeline.run(signal);
  });
}

/** What the one who has asked for a reload is told. */
async function answer(reloading: Promise<Differences>, signal: AbortSignal): Promise<Reloaded> {
  try {
    const differences = await reloading;
    const lines = Object.entries(shown(differences)).map(([part, change]) => `${part}: ${change}`);
    if (differences.restart.length > 0) lines.push(`at the next start: ${differences.restart.join(", ")}`);
    return { status: 200, text: lines.join("\n") };
  } catch (error) {
    return { status: signal.aborted ? 503 : 400, text: explainReload(error) };
  }
}

/** The line that `systemctl status` shows. */
function describe({ notReady, sources, sinks }: Status): string {
  const parts = `${plural(sources.length, "source")}, ${plural(sinks.length, "sink")}`;
  return notReady.length === 0 ? `ready: ${parts}` : `not ready: ${notReady.join("; ")}`;
}
