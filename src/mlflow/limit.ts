/** Runs a task when fewer than the given number are running; others wait in order. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** Makes a limit; one per client. */
export function createLimit(concurrency: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
