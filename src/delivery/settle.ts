import { setTimeout as sleep } from "node:timers/promises";
import { pluginFailed } from "../model/dead-reason.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import type { Outcome } from "../model/outcome.ts";
import { maskSecrets } from "../model/secret.ts";
import type { SinkContext } from "../model/sink.ts";
import type { ActiveSink } from "./active-sink.ts";
import { backoffMs } from "./backoff.ts";
import { longestTimerMs, startDeadline } from "./deadline.ts";
import { logAttempt } from "./log-attempt.ts";

/** How long a paused sink waits before it tries again. */
const pausedRetryMs = 30_000;

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
      await sleep(Math.min(ms, longestTimerMs), undefined, { signal }).catch(() => undefined);
    },
  };
}

/** When a request is no longer repeated. */
export interface SettleOptions {
  /** Asked before each repetition: true ends with `stopped`, for there is better to do than to repeat this. */
  readonly giveWay?: () => boolean;
  /** Gives, for each wait, what ends it early as `giveWay` is true from then on. */
  readonly hurry?: () => readonly (AbortSignal | undefined)[];
  /** Fires when no repetition is to follow: the attempt under way is finished, and a failure ends with `stopped`. */
  readonly leave?: AbortSignal | undefined;
  /** Samples in the batch of the request, for the log. */
  readonly samples?: number;
  /** What failures leave for whatever takes the place of this request. */
  readonly failures?: Failures;
}

/** A worker's memory of its failures: what is dropped for newer samples must not cut the wait that was asked for. */
export interface Failures {
  /** Grows the backoff. */
  inRow: number;
  /** A wait that has not been kept to its end: Unix ms at which it would end, and all of it in ms. */
  wait: { readonly until: number; readonly ms: number } | undefined;
}

/** The memory of a worker that has met no failure. */
export function noFailures(): Failures {
  return { inRow: 0, wait: undefined };
}

/** Delivers one request, the same bytes each time, until it is delivered, rejected, to be split, or the signal fires. */
export async function settle(
  sink: ActiveSink,
  request: unknown,
  world: DeliveryWorld,
  { giveWay = () => false, hurry = () => [], leave, failures = noFailures(), samples }: SettleOptions = {},
): Promise<Settled> {
  const { ctx, log, random } = world;
  const { status } = sink;
  const endOfWait = () => AbortSignal.any([ctx.signal, leave, ...hurry()].filter((signal) => signal !== undefined));
  if (!(await keepWait(failures, world, endOfWait()))) return { kind: "stopped" };
  while (!ctx.signal.aborted) {
    failures.wait = undefined;
    if (status.state === "idle") status.state = "delivering";
    const begun = performance.now();
    const outcome = await attempt(sink, request, world);
    logAttempt(log, { sink, request, outcome, begun, samples });
    if (ctx.signal.aborted && outcome.kind !== "delivered") break;
    status.requests[outcome.kind] += 1;
    status.requestMs += performance.now() - begun;
    if (outcome.kind === "delivered") {
      if (status.state === "retrying" || status.state === "paused")
        log.info("Sink takes samples again", { sink: sink.id });
      status.state = "delivering";
      status.lastSuccess = ctx.now();
      failures.inRow = 0;
      return outcome;
    }
    const news = status.lastError?.reason !== outcome.reason || status.state === "delivering";
    const gone = outcome.kind === "paused" && outcome.gone === true;
    status.lastError = { time: ctx.now(), reason: outcome.reason, ...(gone && { gone }) };
    if (outcome.kind === "rejected" || outcome.kind === "split") {
      status.state = "delivering";
      failures.inRow = 0;
      return outcome;
    }
    const paused = outcome.kind === "paused";
    // A reader that has gone, as in `| head`, is no news to whoever ends for it.
    if (gone && leave?.aborted) break;
    status.state = paused ? "paused" : "retrying";
    if (news) {
      const message = paused
        ? "Sink is paused until it is mended; nothing is lost"
        : "Delivery failed and is tried again";
      log.warn(message, { sink: sink.id, reason: outcome.reason });
    }
    const backoff = backoffMs(failures.inRow++, sink.retry, random);
    // A receiver that says "in 0 seconds" each time must not be asked in a loop; a plugin may make NaN of a date.
    const ms = paused ? pausedRetryMs : Math.max(backoff, outcome.afterMs || 0);
    failures.wait = { until: ctx.now() + ms, ms };
    await keepWait(failures, world, endOfWait(), ms);
    if (leave?.aborted || giveWay()) break;
  }
  return { kind: "stopped" };
}

/**
 * Keeps the wait that a failure has left, by default what remains of one that was cut; returns false when the signal
 * fires before its end. Called before a worker makes what would have to wait.
 */
export async function keepWait(
  failures: Failures,
  { ctx, wait }: DeliveryWorld,
  end: AbortSignal,
  ms = remaining(failures, ctx.now()),
): Promise<boolean> {
  if (ms === undefined) return true;
  await wait(ms, end);
  if (!end.aborted) failures.wait = undefined;
  return !end.aborted;
}

/** Nothing once its time is over, and no longer than all of it: the clock may have been set back. */
function remaining({ wait }: Failures, now: number): number | undefined {
  return wait && Math.max(0, Math.min(wait.until - now, wait.ms));
}

/** An exception, or no outcome, is a bug of the sink: halves find the sample it has it with, and the others go on. */
async function attempt(sink: ActiveSink, request: unknown, { ctx }: DeliveryWorld): Promise<Outcome> {
  try {
    const outcome: unknown = await inTime(sink, sink.deliver(request, ctx), ctx.signal);
    if (isOutcome(outcome)) return masked(outcome);
    return { kind: "split", reason: `${pluginFailed}: it gives no outcome` };
  } catch (error) {
    if (ctx.signal.aborted) return { kind: "retry", reason: "stopped" };
    return { kind: "split", reason: `${pluginFailed}: ${messageOf(error)}` };
  }
}

/** The signal and the timeout end the waiting for a sink that heeds neither. */
async function inTime(sink: ActiveSink, delivering: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  // An HTTP request ends by itself at its timeout, with better words.
  const deadline = startDeadline(signal, sink.timeoutMs + 1000);
  const ended = new Promise<Outcome>((resolve) => {
    const reason = `no end of the delivery within ${sink.timeoutMs / 1000} s`;
    const stop = () => resolve({ kind: "retry", reason });
    if (deadline.signal.aborted) stop();
    else deadline.signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([delivering, ended]);
  } finally {
    deadline.clear();
  }
}

/** The words of a plugin may hold those of its receiver. */
function masked(outcome: Outcome): Outcome {
  return outcome.kind === "delivered" ? outcome : { ...outcome, reason: maskSecrets(outcome.reason) };
}

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  if (value.kind === "delivered") return true;
  const kinds: readonly unknown[] = ["retry", "rejected", "paused", "split"];
  return kinds.includes(value.kind) && "reason" in value && typeof value.reason === "string";
}
