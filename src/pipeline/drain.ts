import type { ActiveSink } from "../delivery/active-sink.ts";

/** One sink's worker as those see it who may end it. */
export interface Delivery {
  readonly sink: ActiveSink;
  /** Ends the worker at once; what it had not delivered stays in the journal. */
  readonly stop: AbortController;
  /** Ends the worker after the request it is at, or at once when that one fails. */
  readonly leave: AbortController;
}

/**
 * Once the signal fires, lets failing sinks end after the attempt they are at, and ends what is left after `drainMs`.
 * `over` resolves then; `end` ends the watch.
 */
export function drainOnAbort(
  signal: AbortSignal,
  delivery: () => readonly Delivery[],
  drainMs: number,
): { readonly over: Promise<void>; end(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  function drain(): void {
    for (const { sink, leave } of delivery()) {
      if (isFailing(sink)) leave.abort();
    }
    timer = setTimeout(() => {
      for (const { stop } of delivery()) stop.abort();
      resolve();
    }, drainMs);
  }
  if (signal.aborted) drain();
  else signal.addEventListener("abort", drain, { once: true });
  return {
    over,
    end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", drain);
    },
  };
}

/**
 * Ends the worker of each sink that has been busy without progress for `giveUpMs`, and says so through `onGivenUp`.
 * Returns what ends the watch.
 */
export function giveUpWithoutProgress(
  delivery: readonly Delivery[],
  options: { readonly giveUpMs: number; readonly now: () => number; readonly onGivenUp: (sink: ActiveSink) => void },
): () => void {
  const { giveUpMs, now, onGivenUp } = options;
  // When each sink was last seen without anything to do: only the time since then counts.
  const idleAt = new Map(delivery.map(({ sink }) => [sink, now()]));
  const timer = setInterval(
    () => {
      for (const { sink, stop } of delivery) {
        if (sink.status.state === "idle" || sink.status.state === "stopped") idleAt.set(sink, now());
        const progress = Math.max(idleAt.get(sink) ?? 0, sink.status.lastSuccess ?? 0);
        if (stop.signal.aborted || now() - progress < giveUpMs) continue;
        stop.abort();
        onGivenUp(sink);
      }
    },
    Math.min(250, giveUpMs),
  );
  return () => clearInterval(timer);
}

function isFailing(sink: ActiveSink): boolean {
  return sink.status.state === "retrying" || sink.status.state === "paused";
}
