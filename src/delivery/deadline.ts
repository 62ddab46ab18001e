/** The longest time that a timer can wait; a longer one would fire at once. */
export const longestTimerMs = 2 ** 31 - 1;

/** The end of one exchange: by the signal or by the time, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether the time was what ended it. */
  passed(): boolean;
  /** Lets timer and signal go; called when the exchange is over. */
  clear(): void;
}

/**
 * Starts a deadline. Not `AbortSignal.any` with `AbortSignal.timeout`: their timers outlive the exchange by the whole
 * timeout, which at thousands of requests a second adds up to hundreds of megabytes.
 */
export function startDeadline(signal: AbortSignal, timeoutMs: number): Deadline {
  const controller = new AbortController();
  const stop = () => controller.abort();
  let passed = false;
  const timer = setTimeout(
    () => {
      passed = true;
      stop();
    },
    Math.min(timeoutMs, longestTimerMs),
  );
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    passed: () => passed,
    clear() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}
