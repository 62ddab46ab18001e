/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { isLoopback } from "../config/listen.ts";
import type { Secret } from "../model/secret.ts";
import type { Status } from "../pipeline/status.ts";
import { requireLocalHost, requireToken, securityHeaders } from "./guard.ts";
import { StatusPage } from "./page.tsx";
import { styleHash } from "./style.ts";

export interface AppOptions {
  /** Gathered anew for each request. */
  readonly status: () => Status;
  /** Asked of every request but the two probes. */
  readonly token: Secret | undefined;
  /** Where the server listens; on loopback the Host header is checked. */
  readonly host: string;
  /** mlmon's own series, served as `/metrics` when no sink serves that page. */
  readonly ownMetrics: () => Promise<string>;
  /** Adds the routes of the sinks. */
  readonly mount: (app: Hono) => void;
}

/** Makes the status server: health, readiness, status as JSON and as a page, and what the sinks serve. */
export function createApp({ status, token, host, ownMetrics, mount }: AppOptions): Hono {
  const app = new Hono();
  app.use(securityHeaders(styleHash));
  if (isLoopback(host)) app.use(requireLocalHost());
  if (token) app.use(requireToken(token));
  app.use(async function onlyReading(c, next) {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    return c.text("Method Not Allowed: this server is read only\n", 405, { allow: "GET, HEAD" });
  });

  app.get("/-/healthy", (c) => c.text("healthy\n"));
  app.get("/-/ready", (c) => {
    const { notReady } = status();
    if (notReady.length === 0) return c.text("ready\n");
    return c.text(`not ready\n${notReady.join("\n")}\n`, 503);
  });
  app.get("/api/v1/status", (c) => c.json(statusJson(status())));
  app.get("/", (c) => c.html(<StatusPage status={status()} />));
  mount(app);
  if (!app.routes.some(({ path }) => path === "/metrics")) {
    app.get("/metrics", async (c) =>
      c.text(await ownMetrics(), 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" }),
    );
  }
  app.notFound((c) => c.text("Not Found: see / /metrics /-/healthy /-/ready /api/v1/status\n", 404));
  return app;
}

/** Maps are no JSON. */
function statusJson(status: Status): object {
  return { ...status, view: { ...status.view, refused: Object.fromEntries(status.view.refused) } };
}
