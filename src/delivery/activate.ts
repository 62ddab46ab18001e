import type { ResolvedSink } from "../config/resolved.ts";
import type { HttpRequest } from "../model/http-request.ts";
import type { Outcome } from "../model/outcome.ts";
import type { HttpSink, SinkContext } from "../model/sink.ts";
import { defaultCapMs } from "../model/sink-options.ts";
import type { ActiveSink, SinkStatus } from "./active-sink.ts";
import { classify } from "./classify.ts";
import { originOf } from "./origin.ts";
import type { Send } from "./send.ts";

/** What the host lends to a sink. */
export interface ActivateOptions {
  readonly send: Send;
  /** Unix ms. */
  readonly now: () => number;
  /** When a sink that starts from "now" was first seen, Unix ms; before everything by default. */
  readonly firstSeen?: () => number;
}

/** Makes a configured sink ready for its worker; called once a sink and start. */
export function activateSink(resolved: ResolvedSink, options: ActivateOptions): ActiveSink {
  const { id, type, host } = resolved;
  const made = resolved.create();
  const { sink } = made;
  const timeoutMs = host.timeout ?? 30_000;
  const status = newStatus();
  const deliver =
    made.transport === "http"
      ? (request: unknown, ctx: SinkContext) =>
          deliverHttp({ sink: made.sink, status, timeoutMs, ...options }, request as HttpRequest, ctx)
      : (request: unknown, ctx: SinkContext) => made.sink.deliver(request, ctx);
  return {
    id,
    type,
    isHttp: made.transport === "http",
    traits: sink,
    render: (batch) => sink.render(batch),
    deliver,
    match: host.match,
    startsAt: startOf(host, options),
    batch: {
      samples: host.batch?.size ?? sink.limits?.samples ?? 1000,
      bytes: host.batch?.bytes ?? sink.limits?.bytes ?? 1024 ** 2,
      intervalMs: host.batch?.interval ?? 0,
    },
    whenFull: host.whenFull ?? "pause",
    timeoutMs,
    retry: { baseMs: host.retry?.base ?? 1000, capMs: host.retry?.cap ?? defaultCapMs },
    status,
    partial: undefined,
    explained: new Set(),
    groups: 0,
  };
}

function startOf({ startFrom }: ResolvedSink["host"], { firstSeen }: ActivateOptions): ActiveSink["startsAt"] {
  if (startFrom === "now") return firstSeen;
  return typeof startFrom === "number" ? () => startFrom : undefined;
}

interface HttpDelivery extends ActivateOptions {
  readonly sink: HttpSink;
  readonly status: SinkStatus;
  readonly timeoutMs: number;
}

async function deliverHttp(
  { sink, status, timeoutMs, send, now }: HttpDelivery,
  request: HttpRequest,
  ctx: SinkContext,
): Promise<Outcome> {
  const sent = await send(request, { timeoutMs, signal: ctx.signal });
  if (sent.kind === "stopped") return { kind: "retry", reason: "stopped" };
  if (sent.kind === "unset") return { kind: "paused", reason: sent.reason };
  if (sent.kind === "malformed") throw new Error(sent.reason);
  status.place = originOf(request.url);
  if (sent.kind === "failed") return { kind: "retry", reason: sent.reason };
  return sink.classify ? sink.classify(sent.response) : classify(sent.response, { now });
}

function newStatus(): SinkStatus {
  return {
    state: "idle",
    lastSuccess: undefined,
    lastError: undefined,
    place: undefined,
    requests: { delivered: 0, retry: 0, rejected: 0, paused: 0, split: 0 },
    requestMs: 0,
  };
}
