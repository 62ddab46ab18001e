import { maxExplained } from "../delivery/explain-once.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Entries, Held } from "../model/entries.ts";
import { knownSecrets, maxSecrets } from "../model/secret.ts";
import { sourceOwner } from "./intake.ts";
import type { Pipeline } from "./pipeline.ts";

/** The parts that are asked. */
type Counted = Pick<Pipeline, "sources" | "sinks" | "view">;

/** Gathers how full everything is that lives as long as mlmon or its journal; called for each status. */
export function countEntries(journal: Journal, { sources, sinks, view }: Counted): readonly Entries[] {
  const read = sources.flatMap(({ entry, entries }) => asEntries(sourceOwner(entry.id), () => entries?.()));
  const kept = sinks.flatMap(({ id, traits }) => asEntries(sinkOwner(id), () => traits.entries?.()));
  const reasons = sinks.map(({ id, explained }) => ({
    part: sinkOwner(id),
    of: "explained_reasons",
    count: explained.size,
    max: maxExplained,
  }));
  const groups = sinks
    .filter(({ traits }) => traits.consumes === "latest")
    .map(({ id, groups: count }) => ({ part: sinkOwner(id), of: "groups", count }));
  const secrets = { part: "process", of: "secrets", count: knownSecrets(), max: maxSecrets };
  return [...read, ...kept, ...reasons, ...groups, ...view.entries(), ...journal.entries(), secrets];
}

/** One that throws is left out: a plugin's bug must not take the page away. */
function asEntries(part: string, held: () => Held | undefined): readonly Entries[] {
  try {
    return Object.entries(held() ?? {}).map(([of, fill]) => ({
      part,
      of,
      ...(typeof fill === "number" ? { count: fill } : fill),
    }));
  } catch {
    return [];
  }
}
