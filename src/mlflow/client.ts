import { setTimeout as sleep } from "node:timers/promises";
import { createFetch } from "ofetch";
import * as v from "valibot";
import { asSent, decodedBody } from "../runtime/as-sent.ts";
import { tlsInit } from "../runtime/tls.ts";
import { type Answer, jsonOf, refuseTooLarge } from "./answer-body.ts";
import { authorizationOf, revealLogin, schemeOf } from "./authorization.ts";
import { contactTime } from "./contact-time.ts";
import { readTls } from "./credentials.ts";
import { createLimit } from "./limit.ts";
import { foreignError, MlflowError, networkError, TimeoutError } from "./mlflow-error.ts";
import type { MlflowOptions } from "./options.ts";
import { type ReadText, readText } from "./read-text.ts";
import { refusalError } from "./refusal.ts";

/** Speaks MLflow's REST API: authentication, int64 in JSON, typed errors, retries of what passes, bounded concurrency. */
export interface Client {
  /** The address without user part and query, for messages. */
  readonly server: string;
  get<S extends v.GenericSchema>(path: string, query: Query, schema: S): Promise<v.InferOutput<S>>;
  /** The body is JSON text already: numbers of 64 bits are the caller's to write. */
  post<S extends v.GenericSchema>(path: string, body: string, schema: S): Promise<v.InferOutput<S>>;
  /** The body as it is, of `/version` and `/health`. */
  text(path: string): Promise<string>;
  /** Unix ms by the `Date` of the newest answer; nothing before the first. */
  serverTime(): number | undefined;
  /** Sends `X-MLFLOW-WORKSPACE` from now on; only where the server says that it has workspaces. */
  useWorkspace(name: string): void;
}

/** Names and values, encoded by the client. */
export type Query = readonly (readonly [name: string, value: string])[];

/** The part of the options a client needs. */
export type Connection = Pick<MlflowOptions, "trackingUri" | "concurrency" | "timeout" | "verify"> &
  Partial<Pick<MlflowOptions, "username" | "password" | "token" | "caFile" | "clientCert">>;

/** What the world is to a client; every part has its default. */
export interface ClientWorld {
  readonly signal?: AbortSignal;
  readonly fetch?: typeof globalThis.fetch;
  readonly now?: () => number;
  /** How often a passing failure is tried before it is thrown; 4 by default. */
  readonly attempts?: number;
  /** The wait after the first failure, doubled after each; 250 ms by default. */
  readonly backoffMs?: number;
  /** How long a request may take until the server has answered for the first time, ms; `contactTime` by default. */
  readonly contactMs?: number;
  /** Called once, when a request has waited for its answer for `slowMs` (15 s by default). */
  readonly onSlow?: () => void;
  readonly slowMs?: number;
  /** Called after each request, for the log. */
  readonly onRequest?: (exchange: Exchange) => void;
  /** The longest answer that is read; 128 MiB by default, a hundred times that of a page of 10 000 points. */
  readonly maxBytes?: number;
}

/** One request and what came back; the query, which may say anything, is not told. */
export interface Exchange {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Absent when no answer came. */
  readonly status: number | undefined;
  readonly ms: number;
  /** Of the answer's body. */
  readonly bytes: number | undefined;
}

/** Makes a client; nothing is sent until the first call. */
export function createClient(options: Connection, world: ClientWorld = {}): Client {
  const { signal = new AbortController().signal, now = Date.now, attempts = 4, backoffMs = 250 } = world;
  const { maxBytes = 128 * 1024 ** 2, contactMs = contactTime(options) } = world;
  const send = createFetch({ fetch: world.fetch ?? globalThis.fetch, Headers, AbortController }).raw;
  const address = new URL(options.trackingUri);
  const base = withoutLogin(address);
  const authorization = authorizationOf(options, address);
  const scheme = schemeOf(authorization);
  const tls = tlsInit(readTls(options));
  const limit = createLimit(options.concurrency);
  const headers: Record<string, string> = { accept: "application/json", "user-agent": "mlmon" };
  let skewMs: number | undefined;
  let reached = false;
  let onSlow = world.onSlow;

  function tellSlow(): void {
    onSlow?.();
    onSlow = undefined;
  }

  async function callOnce(method: "GET" | "POST", path: string, search: string, body?: string): Promise<Answer> {
    const login = revealLogin(authorization, base);
    const timeoutMs = reached ? options.timeout : contactMs;
    const timeout = AbortSignal.timeout(timeoutMs);
    const slow = onSlow && setTimeout(tellSlow, world.slowMs ?? 15_000);
    const begun = performance.now();
    let answer: Received | undefined;
    let answeredAt = 0;
    let read: ReadText | undefined;
    try {
      answer = await send<ReadableStream<Uint8Array>, "stream">(`${base}${path}${search}`, {
        ...tls,
        ...asSent,
        method,
        headers: {
          ...headers,
          ...(login !== undefined && { authorization: login }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body }),
        // Another host must get neither the credentials nor the body.
        redirect: "manual",
        retry: false,
        ignoreResponseError: true,
        responseType: "stream",
        signal: AbortSignal.any([signal, timeout]),
      });
      answeredAt = now();
      reached = true;
      const content = answer._data && decodedBody(answer._data, answer.headers);
      read = await readText(content, isSuccess(answer) ? maxBytes : undefined);
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) throw new TimeoutError(base, timeoutMs);
      throw networkError(base, error);
    } finally {
      clearTimeout(slow);
      const ms = Math.round(performance.now() - begun);
      world.onRequest?.({ method, path, status: answer?.status, ms, bytes: read?.bytes });
    }
    const date = Date.parse(answer.headers.get("date") ?? "");
    // A date in Retry-After is meant by the clock of the server.
    const sentAt = Number.isFinite(date) ? date : now();
    if (Number.isFinite(date)) skewMs = date - answeredAt;
    const { text } = read;
    if (!isSuccess(answer)) {
      const { status } = answer;
      throw refusalError(base, path, { status, headers: answer.headers, text, scheme }, sentAt);
    }
    refuseTooLarge(read, maxBytes, { server: base, path });
    return { text, contentType: answer.headers.get("content-type") ?? "" };
  }

  async function parse<S extends v.GenericSchema>(schema: S, ...request: Parameters<typeof callOnce>) {
    const [, path] = request;
    const body = jsonOf(await limit(() => callOnce(...request)), { server: base, path });
    const parsed = v.safeParse(schema, body);
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw foreignError(base, path, `${v.getDotPath(issue) ?? "it"}: ${issue.message}`);
  }

  async function patiently<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof MlflowError) || error.trouble !== "transient" || attempt >= attempts) throw error;
        // Who has never answered is more likely wrong than slow, and someone may be waiting.
        if (error instanceof TimeoutError && !reached) throw error;
        const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs * 2 ** (attempt - 1));
        await sleep(Math.min(waitMs, 60_000), undefined, { signal });
      }
    }
  }

  return {
    server: base,
    get: (path, query, schema) => patiently(() => parse(schema, "GET", path, searchOf(query))),
    post: (path, body, schema) => patiently(() => parse(schema, "POST", path, "", body)),
    text: async (path) => (await patiently(() => limit(() => callOnce("GET", path, "")))).text,
    serverTime: () => (skewMs === undefined ? undefined : now() + skewMs),
    useWorkspace(name) {
      headers["x-mlflow-workspace"] = name;
    },
  };
}

/** An address for messages, without user part and query. */
export function withoutLogin({ origin, pathname }: URL): string {
  return `${origin}${pathname.replace(/\/+$/, "")}`;
}

/** What came back, before its body is read. */
interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly _data?: ReadableStream<Uint8Array> | undefined;
}

function isSuccess({ status }: Received): boolean {
  return status >= 200 && status <= 299;
}

function searchOf(query: Query): string {
  if (query.length === 0) return "";
  return `?${query.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&")}`;
}
