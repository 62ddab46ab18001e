import { maxExplained } from "../delivery/log-left-out.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Entries } from "../model/entries.ts";
import { knownSecrets, maxSecrets } from "../model/secret.ts";
import { sourceOwner } from "./intake.ts";
import type { Pipeline } from "./pipeline.ts";

/** Gathers how full everything is that lives as long as mlmon or its journal; called for each status. */
export function countEntries(journal: Journal, { sources, sinks, view }: Pipeline): readonly Entries[] {
  const read = sources.flatMap(({ entry, entries }) =>
    Object.entries(entries?.() ?? {}).map(([of, count]) => ({ part: sourceOwner(entry.id), of, count })),
  );
  const reasons = sinks.map(({ id, explained }) => ({
    part: sinkOwner(id),
    of: "explained_reasons",
    count: explained.size,
    max: maxExplained,
  }));
  const secrets = { part: "process", of: "secrets", count: knownSecrets(), max: maxSecrets };
  return [...read, ...reasons, ...view.entries(), ...journal.entries(), secrets];
}
