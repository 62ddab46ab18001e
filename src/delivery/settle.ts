import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../model/log.ts";
import type { Outcome } from "../model/outcome.ts";
import type { SinkContext } from "../model/sink.ts";
import type { ActiveSink } from "./active-sink.ts";
import { backoffMs } from "./backoff.ts";

/** How long a paused sink waits before it tries again. */
export const pausedRetryMs = 30_000;

/** How a request has ended for good; `stopped` leaves it undelivered. */
export type Settled = Extract<Outcome, { kind: "delivered" | "rejected" | "split" }> | { readonly kind: "stopped" };

/** What the workers of both kinds are handed. */
export interface DeliveryWorld {
  readonly ctx: SinkContext;
  readonly log: Log;
  readonly random: () => number;
  /** Waits, and returns at once when the signal fires. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The real clock and chance. */
export function deliveryWorld(ctx: SinkContext, log: Log): DeliveryWorld {
  return {
    ctx,
    log,
    random: Math.random,
    async wait(ms, signal) {
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    },
  };
}

/**
 * Delivers one request, the same bytes each time, until it is delivered, rejected, to be split, or the signal fires.
 * `giveWay` is asked before each repetition: true ends with `stopped`, for senders of latest values that can do better
 * than repeat old ones.
 */
export async function settle(
  sink: ActiveSink,
  request: unknown,
  world: DeliveryWorld,
  giveWay: () => boolean = () => false,
): Promise<Settled> {
  const { ctx, log, random, wait } = world;
  const { status } = sink;
  for (let attempt = 0; !ctx.signal.aborted; attempt++) {
    if (attempt === 0 && status.state === "idle") status.state = "delivering";
    const outcome = await attemptOnce(sink, request, world);
    if (ctx.signal.aborted && outcome.kind !== "delivered") break;
    status.requests[outcome.kind] += 1;
    if (outcome.kind === "delivered") {
      if (status.state === "retrying" || status.state === "paused")
        log.info("Sink takes samples again", { sink: sink.id });
      status.state = "delivering";
      status.lastSuccess = ctx.now();
      return outcome;
    }
    const news = status.lastError?.reason !== outcome.reason || status.state === "delivering";
    status.lastError = { time: ctx.now(), reason: outcome.reason };
    if (outcome.kind === "rejected" || outcome.kind === "split") {
      status.state = "delivering";
      return outcome;
    }
    const paused = outcome.kind === "paused";
    status.state = paused ? "paused" : "retrying";
    if (news) {
      const message = paused
        ? "Sink is paused until it is mended; nothing is lost"
        : "Delivery failed and is tried again";
      log.warn(message, { sink: sink.id, reason: outcome.reason });
    }
    const afterMs = outcome.kind === "retry" ? outcome.afterMs : undefined;
    await wait(paused ? pausedRetryMs : (afterMs ?? backoffMs(attempt, sink.retry, random)), ctx.signal);
    if (giveWay()) break;
  }
  return { kind: "stopped" };
}

/** An exception is a bug of the sink: its request is rejected, so that it cannot stop the others. */
async function attemptOnce(sink: ActiveSink, request: unknown, { ctx, log }: DeliveryWorld): Promise<Outcome> {
  try {
    return await sink.deliver(request, ctx);
  } catch (error) {
    if (ctx.signal.aborted) return { kind: "retry", reason: "stopped" };
    const reason = `the sink failed: ${error instanceof Error ? error.message : error}`;
    log.error("Sink has a bug: deliver threw", { sink: sink.id, reason });
    return { kind: "rejected", reason };
  }
}
