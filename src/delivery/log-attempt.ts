import { Buffer } from "node:buffer";
import type { Log, LogFields } from "../model/log.ts";
import type { Outcome } from "../model/outcome.ts";
import type { ActiveSink } from "./active-sink.ts";
import { originOf } from "./origin.ts";

/** What is told of one request. */
export interface Attempt {
  readonly sink: ActiveSink;
  readonly request: unknown;
  readonly outcome: Outcome;
  /** `performance.now()` before it. */
  readonly begun: number;
  /** Samples in the batch that the request was rendered from. */
  readonly samples: number | undefined;
}

/** Writes one debug line of a request that was sent; costs nothing at other levels. */
export function logAttempt(log: Log, { sink, request, outcome, begun, samples }: Attempt): void {
  log.debug("Sink was sent a request", () => {
    const ms = Math.round(performance.now() - begun);
    return { sink: sink.id, ...describe(sink, request), outcome: outcome.kind, ms, samples };
  });
}

/** What a sink carries by itself is not known. */
function describe({ isHttp }: ActiveSink, request: unknown): LogFields {
  if (!isHttp || typeof request !== "object" || request === null) return {};
  const url = Reflect.get(request, "url");
  const body = Reflect.get(request, "body");
  return {
    method: String(Reflect.get(request, "method")),
    to: typeof url === "string" && URL.canParse(url) ? originOf(url) : undefined,
    bytes: typeof body === "string" ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.length : 0,
  };
}
