/**
 * Waits for work that may never end, but not longer than `ms`: true when it has ended in time. What it rejects with is
 * the caller's; what it does after its time is nobody's. Called for whatever a plugin may hold up at the end.
 */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
