import type { Hono } from "hono";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { Secret } from "../model/secret.ts";
import { serve } from "../runtime/serve.ts";

/** The status server while it listens. */
export interface StatusServer {
  /** `http://127.0.0.1:9890` */
  readonly url: string;
  /** Takes the routes and the token of a new configuration; the address stays until the next start. */
  update(config: ResolvedConfig): void;
  stop(): Promise<void>;
}

/** Throws `WorkError` when nothing can listen where a configuration says; leaves nothing behind. */
export async function tryListen({ server: { host, port } }: ResolvedConfig): Promise<void> {
  const server = await serve(() => new Response("starting\n", { status: 503 }), { hostname: host, port });
  await server.stop();
}

/** Listens where a configuration says; throws `WorkError` when that cannot be. `makeApp` is called now and at updates. */
export async function openStatusServer(
  { server: { host, port, token: first } }: ResolvedConfig,
  makeApp: (token: Secret | undefined, host: string) => Hono,
): Promise<StatusServer> {
  let token = first;
  let app = makeApp(token, host);
  const server = await serve((request) => app.fetch(request), { hostname: host, port });
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${server.port}`,
    update({ server: next }) {
      // A configuration without a token may be meant for another address than the one that is still open.
      const isSamePlace = next.host === host && next.port === port;
      if (isSamePlace || next.token) token = next.token;
      app = makeApp(token, host);
    },
    stop: () => server.stop(),
  };
}
