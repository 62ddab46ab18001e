import { skippedRow } from "../journal/audit.ts";
import type { Journal, LedgerRow } from "../journal/journal.ts";
import type { Log } from "../model/log.ts";
import type { CheckedSinkOptions } from "../model/sink-options.ts";
import { sinkOwner } from "./sink-at-work.ts";

type Sinks = readonly { readonly id: string; readonly host: Pick<CheckedSinkOptions, "startFrom"> }[];

/**
 * Frees what waits for sinks that are no longer configured, after saying so; called before `placeNew`, at the start and
 * after a reload.
 */
export async function dropGone(journal: Journal, sinks: Sinks, log: Log): Promise<void> {
  const wanted = new Set(sinks.map(({ id }) => sinkOwner(id)));
  const gone = journal.consumers().filter((name) => name.startsWith(sinkPrefix) && !wanted.has(name));
  const known = new Set(journal.consumers());
  const added = sinks.filter(({ id }) => !known.has(sinkOwner(id)));
  const [renamed] = added.length === 1 && gone.length === 1 ? added : [];
  for (const consumer of gone) {
    const id = consumer.slice(sinkPrefix.length);
    const { samples } = journal.waiting(journal.position(consumer));
    const hint = renamed && { hint: `if it is "${renamed.id}" now, give that the id "${id}" to keep its place` };
    log.warn("A sink is no longer configured: what was waiting for it is dropped", { sink: id, samples, ...hint });
    const dropped: LedgerRow = { scope: "sink", id, name: "dropped", reason: "sink_removed", count: samples };
    await journal.forget(consumer, samples > 0 ? { ledger: [dropped] } : {});
  }
}

/**
 * Gives each sink that has none a position, so that nothing it is to have is trimmed; called before its worker starts.
 * The position of a sink at work is its worker's alone.
 */
export async function placeNew(journal: Journal, sinks: Sinks): Promise<void> {
  const known = new Set(journal.consumers());
  for (const { id, host } of sinks) {
    if (known.has(sinkOwner(id))) continue;
    const position = host.startFrom === "now" ? journal.end() : journal.position(sinkOwner(id));
    const skipped = skippedRow(journal, id, position);
    await journal.commit(sinkOwner(id), position, skipped.count === 0 ? {} : { ledger: [skipped] });
  }
}

const sinkPrefix = sinkOwner("");
