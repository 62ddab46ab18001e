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
 * Ends the worker of each sink that has been busy for `giveUpMs` without any request that was taken or refused, and asks
 * `onGivenUp` about it from then on at each look. Returns what ends the watch. Counts by a clock that nobody sets, and
 * that stands still while the machine sleeps.
 */
export function giveUpWithoutProgress(
  delivery: readonly Delivery[],
  { giveUpMs, onGivenUp }: { readonly giveUpMs: number; readonly onGivenUp: (sink: ActiveSink) => void },
): () => void {
  const begun = performance.now();
  const seen = new Map(delivery.map(({ sink }) => [sink, { settled: 0, at: begun }]));
  function look({ sink, stop }: Delivery): void {
    const { state, requests } = sink.status;
    const now = performance.now();
    const settled = requests.delivered + requests.rejected + requests.split;
    const last = seen.get(sink);
    if (last?.settled !== settled || state === "idle" || state === "stopped") seen.set(sink, { settled, at: now });
    else if (now - last.at >= giveUpMs) stop.abort();
    if (stop.signal.aborted) onGivenUp(sink);
  }
  const timer = setInterval(() => delivery.forEach(look), Math.min(250, giveUpMs));
  return () => clearInterval(timer);
}

function isFailing(sink: ActiveSink): boolean {
  return sink.status.state === "retrying" || sink.status.state === "paused";
}
