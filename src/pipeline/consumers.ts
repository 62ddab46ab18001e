import { skippedRow } from "../journal/audit.ts";
import type { Journal } from "../journal/journal.ts";
import type { Log } from "../model/log.ts";
import { sinkOwner } from "./sink-at-work.ts";

type Ids = readonly { readonly id: string }[];

/** Frees what waits for sinks that are no longer configured, after saying so; called at the start and after a reload. */
export async function dropGone(journal: Journal, sinks: Ids, log: Log): Promise<void> {
  const wanted = new Set(sinks.map(({ id }) => sinkOwner(id)));
  for (const consumer of journal.consumers()) {
    if (!consumer.startsWith("sink/") || wanted.has(consumer)) continue;
    const { samples } = journal.waiting(journal.position(consumer));
    log.warn("A sink is no longer configured: what was waiting for it is dropped", {
      sink: consumer.slice(5),
      samples,
    });
    await journal.forget(consumer);
  }
}

/**
 * Gives each sink that has none a position, so that nothing it is to have is trimmed; called before its worker starts.
 * The position of a sink at work is its worker's alone.
 */
export async function placeNew(journal: Journal, sinks: Ids): Promise<void> {
  const known = new Set(journal.consumers());
  for (const { id } of sinks) {
    if (known.has(sinkOwner(id))) continue;
    const position = journal.position(sinkOwner(id));
    const skipped = skippedRow(journal, id, position);
    await journal.commit(sinkOwner(id), position, skipped.count === 0 ? {} : { ledger: [skipped] });
  }
}
