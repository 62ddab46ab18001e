import type { Journal } from "../journal/journal.ts";
import type { DeliveryWorld } from "./settle.ts";

/** Waits until the journal changes or the signal fires, but not longer than `ms`; called by workers between two rounds. */
export async function changedWithin(
  ms: number,
  journal: Journal,
  world: DeliveryWorld,
  stop: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  stop.addEventListener("abort", end, { once: true });
  if (stop.aborted) end();
  await Promise.race([world.wait(ms, over.signal), journal.changed(over.signal)]);
  stop.removeEventListener("abort", end);
  end();
}
