/// <reference types="bun" />

import type { Awaitable } from "../model/awaitable.ts";
import { WorkError } from "../model/errors.ts";
import { runtime } from "./runtime.ts";

/** A server that listens. */
export interface Served {
  /** The port it got, for one that was asked for as 0. */
  readonly port: number;
  /** Resolves when the requests in flight are answered and the port is free. */
  stop(): Promise<void>;
}

/** Where a server listens; port 0 is any that is free. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

type Handler = (request: Request) => Awaitable<Response>;

/** The part of Deno that is used here. */
interface DenoServe {
  serve(
    options: Address & { onListen(): void },
    handler: (request: Request, info: { readonly completed: Promise<void> }) => Awaitable<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
}

/** Requests under way at most, those that wait for a slow handler among them; under Bun also those with a slow reader. */
export const maxPending = 256;

/** Bun cuts a request that gives no byte for so many seconds; 255 is the most it takes. */
const idleTimeoutSeconds = 255;

/** Listens on an address; throws `WorkError` when the port is in use or the address is not this machine's. */
export async function serve(handler: Handler, address: Address): Promise<Served> {
  try {
    return runtime === "deno" ? serveDeno(handler, address) : serveBun(handler, address);
  } catch (cause) {
    throw new WorkError(refusal(cause, address), { cause });
  }
}

function serveBun(handler: Handler, { hostname, port }: Address): Served {
  const server = Bun.serve({
    hostname,
    port,
    fetch: (request, { pendingRequests }) => (pendingRequests > maxPending ? tooMany() : handler(request)),
    idleTimeout: idleTimeoutSeconds,
  });
  return { port: server.port ?? port, stop: () => stopSoon(server.stop(), () => void server.stop(true)) };
}

function tooMany(): Response {
  return new Response("Service Unavailable: too many requests are under way\n", { status: 503 });
}

/** Requests in flight are answered, but a client that does not read must not keep the process: 2 s, then it is cut. */
async function stopSoon(stopped: Promise<void>, cut: () => void): Promise<void> {
  const late = new Promise<"late">((resolve) => setTimeout(resolve, 2000, "late").unref());
  if ((await Promise.race([stopped, late])) === "late") cut();
}

function serveDeno(handler: Handler, address: Address): Served {
  const { Deno } = globalThis as unknown as { readonly Deno: DenoServe };
  let pending = 0;
  const ended = () => {
    pending -= 1;
  };
  const server = Deno.serve({ ...address, onListen() {} }, (request, { completed }) => {
    pending += 1;
    completed.then(ended, ended);
    return pending > maxPending ? tooMany() : handler(request);
  });
  return { port: server.addr.port, stop: () => stopSoon(server.shutdown(), () => {}) };
}

function refusal(cause: unknown, { hostname, port }: Address): string {
  const text =
    cause instanceof Error ? `${"code" in cause ? cause.code : ""} ${cause.name} ${cause.message}` : String(cause);
  const place = `Cannot listen on ${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  if (/EADDRINUSE|AddrInUse|in use/i.test(text)) {
    return `${place}: the port is in use; choose another one with --listen or MLMON_LISTEN`;
  }
  if (/EACCES|PermissionDenied/i.test(text)) return `${place}: no permission; choose a port above 1023`;
  return `${place}: it is not an address of this machine; choose another one with --listen or MLMON_LISTEN`;
}
