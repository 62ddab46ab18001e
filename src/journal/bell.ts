/** Wakes those who wait for a change. */
export interface Bell {
  ring(): void;
  /** Resolves at the next `ring`, when the signal fires, or after `timeoutMs`. */
  wait(signal: AbortSignal, timeoutMs?: number): Promise<void>;
}

/** Makes a bell that nobody waits for. */
export function createBell(): Bell {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const wake of [...waiting]) wake();
    },
    wait(signal, timeoutMs) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs);
        waiting.add(wake);
        signal.addEventListener("abort", wake);
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        }
      });
    },
  };
}
