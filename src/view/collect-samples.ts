import type { Sample } from "../model/sample.ts";
import { type LiveRun, toSample } from "./live-run.ts";
import { runSeries } from "./run-series.ts";

/** Makes the samples of runs and facts: families by name, in each the runs by start and id, then the facts. */
export function collectSamples(runs: readonly LiveRun[], facts: readonly Sample[]): Sample[] {
  const families = new Map<string, Sample[]>();
  for (const live of runs.toSorted(byStart)) {
    for (const sample of runSeries(live)) add(families, sample);
    for (const series of live.series.values()) add(families, toSample(live, series));
  }
  for (const fact of facts) {
    // A metric of a run, made to look like a fact of some other source, keeps its place.
    const family = families.get(fact.series?.name ?? "") ?? [];
    const isTaken = family.some(({ run, series }) => run && series?.id === fact.series?.id);
    if (!isTaken) add(families, fact);
  }
  const names = [...families.keys()].sort();
  return names.flatMap((name) => families.get(name) ?? []);
}

function add(families: Map<string, Sample[]>, sample: Sample): void {
  const name = sample.series?.name ?? "";
  const family = families.get(name);
  if (family) family.push(sample);
  else families.set(name, [sample]);
}

function byStart({ run: a }: LiveRun, { run: b }: LiveRun): number {
  return a.startTime - b.startTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
