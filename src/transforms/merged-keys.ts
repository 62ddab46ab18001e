import type { Log } from "../model/log.ts";
import type { Sample } from "../model/sample.ts";

/** Finds keys of one run that have got one name; called for each sample that has a name of interest. */
export type MergedKeys = (sample: Sample, name: string, log: Log) => void;

/** Makes a finder that warns once a name, with an example; what it remembers is bounded. */
export function findMergedKeys(): MergedKeys {
  const keys = new Map<string, string>();
  const said = new Set<string>();
  return function look(sample, name, log) {
    const { name: key, run, labels } = sample;
    if (said.has(name) || said.size >= maxSaid) return;
    // Labels keep series apart.
    const series = `${run?.id ?? ""} ${labels ? JSON.stringify(labels) : ""} ${name}`;
    const other = keys.get(series);
    if (other === undefined) {
      // What is forgotten is met again while the run lives.
      if (keys.size >= maxSeries) keys.clear();
      keys.set(series, key);
    } else if (other !== key) {
      said.add(name);
      log.warn("Keys of one run are renamed to one name, and are one series from here on", {
        name,
        keys: `${other}, ${key}`,
        run: run?.id ?? "",
      });
    }
  };
}

const maxSeries = 10_000;
const maxSaid = 100;
