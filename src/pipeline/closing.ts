import type { Awaitable } from "../model/awaitable.ts";

/** What ends the parts that were opened, in the order of their opening. */
export type Closers = (() => Awaitable<void>)[];

/**
 * Does a work and then ends all parts that it has opened, the last first, however it went; one that cannot be ended
 * keeps no other from its end. Throws what the work threw, else the first failure of an ending.
 */
export async function closingAll<T>(work: (opened: Closers) => Promise<T>): Promise<T> {
  const opened: Closers = [];
  let result: T;
  try {
    result = await work(opened);
  } catch (error) {
    await closeAll(opened).catch(() => undefined);
    throw error;
  }
  await closeAll(opened);
  return result;
}

/** Ends every part, the last first; throws the first failure when all were tried. */
async function closeAll(opened: Closers): Promise<void> {
  const failures: unknown[] = [];
  for (const close of opened.toReversed()) {
    try {
      await close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
