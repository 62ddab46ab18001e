import type { Sample } from "../model/sample.ts";
import { type LiveRun, type LiveSeries, toSample } from "./live-run.ts";
import { runSeries } from "./run-series.ts";

/** Makes the samples of runs and facts: families by name, in each the runs by start and id, then the facts. */
export function collectSamples(runs: readonly LiveRun[], facts: readonly Sample[]): Sample[] {
  const families = new Map<string, Family>();
  for (const live of runs.toSorted(byStart)) {
    for (const sample of runSeries(live)) familyOf(families, sample.series?.name).made.push(sample);
    for (const series of live.series.values()) {
      const { owners, members } = familyOf(families, series.metric.name);
      owners.push(live);
      members.push(series);
    }
  }
  for (const fact of facts) familyOf(families, fact.series?.name).facts.push(fact);
  const samples: Sample[] = [];
  // Samples are made in the order in which they are rendered: rendering is a third faster for lying in a row.
  for (const name of [...families.keys()].sort()) addFamily(samples, familyOf(families, name));
  return samples;
}

interface Family {
  readonly made: Sample[];
  readonly owners: LiveRun[];
  readonly members: LiveSeries[];
  readonly facts: Sample[];
}

function familyOf(families: Map<string, Family>, name = ""): Family {
  const known = families.get(name);
  if (known) return known;
  const family = { made: [], owners: [], members: [], facts: [] };
  families.set(name, family);
  return family;
}

function addFamily(samples: Sample[], { made, owners, members, facts }: Family): void {
  const start = samples.length;
  for (const sample of made) samples.push(sample);
  for (const [index, live] of owners.entries()) {
    const series = members[index];
    if (series) samples.push(toSample(live, series));
  }
  if (facts.length === 0) return;
  // A fact of some source that was made to look like the metric of a run gives way to it.
  const taken = new Set(samples.slice(start).map(({ series }) => series?.id));
  for (const fact of facts) if (!taken.has(fact.series?.id)) samples.push(fact);
}

function byStart({ run: a }: LiveRun, { run: b }: LiveRun): number {
  return a.startTime - b.startTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
