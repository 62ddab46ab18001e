/** @jsxImportSource hono/jsx */
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { isLoopback } from "../config/listen.ts";
import type { Log } from "../model/log.ts";
import type { Secret } from "../model/secret.ts";
import {
  hasToken,
  onlyReading,
  requireLocalHost,
  requireSameSite,
  requireToken,
  requireTokenToChange,
  securityHeaders,
} from "./guard.ts";
import { StatusPage } from "./page.tsx";
import { mountQueue, type Queue, queuePaths } from "./queue-routes.ts";
import { healthy } from "./reachable.ts";
import type { Status } from "./status.ts";
import { styleHash } from "./style.ts";

/** What the status server shows and who may ask. */
export interface AppOptions {
  /** Gathered anew for each request. */
  readonly status: () => Status;
  /** Asked of every request but the two probes. */
  readonly token: Secret | undefined;
  /** Where the server listens; on loopback the Host header is checked. */
  readonly host: string;
  /** mlmon's own series, served as `/metrics` when no sink serves that page. */
  readonly ownMetrics: () => Promise<string>;
  /**
   * Loads the configuration again, for `POST /-/reload`: says what has changed, or why nothing has. That path is not
   * there without it.
   */
  readonly reload?: (() => Promise<Reloaded>) | undefined;
  /** What `/api/v1/queue` shows and changes; not there without it. */
  readonly queue?: Queue | undefined;
  /** Taken beside the token: the commands that are called beside mlmon read it from the state folder. */
  readonly key?: Secret | undefined;
  /** What the sinks serve, one app a sink. */
  readonly routes: readonly Hono[];
  readonly log: Log;
}

/** The answer to `POST /-/reload`. */
export interface Reloaded {
  readonly status: 200 | 400 | 503;
  readonly text: string;
}

/** Makes the status server: health, readiness, status as JSON and as a page, and what the sinks serve. */
export function createApp({ status, token, host, key, ownMetrics, reload, queue, routes, log }: AppOptions): Hono {
  const app = new Hono();
  app.use(securityHeaders(styleHash));
  if (isLoopback(host)) app.use(requireLocalHost());
  if (token) app.use(requireToken(token, key));
  app.use(onlyReading([...(reload ? ["/-/reload"] : []), ...(queue ? queuePaths : [])]));
  app.use(requireSameSite());
  app.use(requireTokenToChange(token, host, key));

  // With a status Hono writes the type as well, which the runtime would not add to an answer with other headers.
  app.get("/-/healthy", (c) => c.text(healthy, 200));
  app.get("/-/ready", (c) => {
    const all = status();
    return readiness(c, hasToken(c, token, key) ? all : all.brief);
  });
  if (reload) {
    app.post("/-/reload", async (c) => {
      const { status, text } = await reload();
      return c.text(`${text}\n`, status);
    });
  }
  if (queue) mountQueue(app, queue);
  app.get("/api/v1/status", (c) => c.json(statusJson(status())));
  app.get("/", (c) => c.html(<StatusPage status={status()} />));
  for (const pages of routes) {
    for (const path of pathsOf(pages).intersection(pathsOf(app))) {
      log.warn("A sink's page is hidden by another one at its path: give it another", { path });
    }
    app.route("/", pages);
  }
  if (!app.routes.some(({ path }) => path === "/metrics")) {
    app.get("/metrics", async (c) =>
      c.text(await ownMetrics(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
    );
  }
  app.notFound((c) => c.text("Not Found: see / /metrics /-/healthy /-/ready /api/v1/status\n", 404));
  app.onError((error, c) => {
    log.error("The status server could not answer", { path: c.req.path, reason: error.message });
    return c.text("Internal Server Error: the reason is in the log of mlmon\n", 500);
  });
  return app;
}

/**
 * 503 with one sentence for each source and sink that is not ready; warnings change no status. As JSON for those who ask
 * for it. Probes have no token: without it nobody learns what a receiver has said, which may name hosts and users.
 */
function readiness(c: Context, { notReady, warnings }: Status["brief"]): Response {
  const ready = notReady.length === 0;
  const type = accepts(c, {
    header: "Accept",
    supports: ["text/plain", "application/json"],
    default: "text/plain",
  });
  const code = ready ? 200 : 503;
  if (type === "application/json") return c.json({ ready, notReady, warnings }, code);
  const lines = [ready ? "ready" : "not ready", ...notReady, ...warnings.map((warning) => `warning: ${warning}`)];
  return c.text(`${lines.join("\n")}\n`, code);
}

/** Of pages, each once: a route with a middleware of its own stands there twice. */
function pathsOf({ routes }: Hono): Set<string> {
  return new Set(routes.filter(({ method }) => method === "GET").map(({ path }) => path));
}

/** Maps are no JSON. */
function statusJson({ brief: _, ...status }: Status): object {
  return { ...status, view: { ...status.view, refused: Object.fromEntries(status.view.refused) } };
}
