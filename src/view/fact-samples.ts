import type { Sample } from "../model/sample.ts";
import { cleanText } from "../prometheus/escape.ts";
import { factName } from "../prometheus/names.ts";
import { makeSeries, ownLabels, targetLabels } from "../prometheus/series.ts";
import type { Family } from "./facts.ts";

/**
 * Gives facts their series, each id once, in order. A name that several sources give carries the label `source` on all
 * of them, so that it does not matter which source was first; of two names that become one the later has `metric_key`.
 */
export function factSamples(sources: ReadonlyMap<string, ReadonlyMap<string, Family>>): readonly Sample[] {
  const made = new Map<string, Sample>();
  for (const [source, names] of sources) {
    for (const [name, family] of names) {
      const isShared = [...sources].some(([other, theirs]) => other !== source && (theirs.get(name)?.size ?? 0) > 0);
      for (const fact of family.values()) {
        const labels = isShared
          ? { ...ownLabels(fact.labels, sharedReserved), ...ownLabels({ source }) }
          : ownLabels(fact.labels, targetLabels);
        const alone = makeSeries(factName(name), labels);
        const taken = made.get(alone.id);
        const series =
          taken && taken.name !== name ? makeSeries(alone.name, { ...labels, metric_key: cleanText(name) }) : alone;
        made.set(series.id, { ...fact, series });
      }
    }
  }
  return [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sample]) => sample);
}

const sharedReserved: ReadonlySet<string> = new Set([...targetLabels, "source"]);
