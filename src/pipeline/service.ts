import process from "node:process";
import type { ResolvedConfig } from "../config/resolved.ts";
import { createSender } from "../delivery/send.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import { openStateFolder } from "../journal/state-folder.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import { serve } from "../runtime/serve.ts";
import { version } from "../runtime/version.ts";
import { createApp } from "../server/app.tsx";
import { createOwnMetrics } from "../server/own-metrics.ts";
import type { Status } from "../server/status.ts";
import { closingAll } from "./closing.ts";
import { openPipeline } from "./pipeline.ts";
import { report } from "./report.ts";
import { connectSystemd } from "./systemd.ts";
import { watchLedger } from "./watch-ledger.ts";

export interface ServiceOptions {
  readonly config: ResolvedConfig;
  readonly log: Log;
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

export interface Started {
  /** `http://127.0.0.1:9890` */
  readonly url: string;
  readonly stateDir: string;
  status(): Status;
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
    const folder = await openStateFolder(config.stateDir ?? ".mlmon");
    opened.push(() => folder.close());
    const journal = await openJournal({ path: folder.journalPath, maxBytes: config.journal.maxBytes, now });
    opened.push(() => journal.close());

    const metrics = createOwnMetrics(() => status());
    const ownMetrics = () => metrics.text();
    const pipeline = await openPipeline({
      config,
      journal,
      log,
      now,
      ownMetrics,
      once: false,
      send: createSender({ version }),
      drainMs,
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    opened.push(() => pipeline.close());
    opened.push(watchLedger(journal, log));
    const status = () => report({ config, journal, pipeline, version, startedAt, now });

    const app = createApp({
      status,
      token: config.server.token,
      host: config.server.host,
      ownMetrics,
      mount: pipeline.serve,
      log,
    });
    const server = await serve(app.fetch, { hostname: config.server.host, port: config.server.port });
    opened.push(() => server.stop());
    const host = config.server.host.includes(":") ? `[${config.server.host}]` : config.server.host;
    options.onStarted?.({ url: `http://${host}:${server.port}`, stateDir: folder.path, status });

    systemd.ready(() => describe(status()));
    // What sinks and the journal take to close comes on top.
    signal.addEventListener("abort", () => systemd.stopping(drainMs + 15_000), { once: true });
    await pipeline.run(signal);
  });
}

/** The line that `systemctl status` shows. */
function describe({ notReady, sources, sinks }: Status): string {
  const parts = `${sources.length} source${sources.length === 1 ? "" : "s"}, ${sinks.length} sink${sinks.length === 1 ? "" : "s"}`;
  return notReady.length === 0 ? `ready: ${parts}` : `not ready: ${notReady.join("; ")}`;
}
