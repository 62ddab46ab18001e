import type { Batch } from "../model/batch.ts";
import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { adoptRuns } from "./adopt-runs.ts";
import { collectSamples } from "./collect-samples.ts";
import { createFacts } from "./facts.ts";
import { createGroupVersions, type GroupVersions } from "./group-versions.ts";
import { createLiveRuns } from "./live-runs.ts";
import { createRefused, maxKeys } from "./refused.ts";
import { countRunSeries, seriesPerRun } from "./run-series.ts";
import { decodeSnapshot, encodeSnapshot, type SnapshotParts } from "./snapshot.ts";
import { createTaker, maxMetrics } from "./take-samples.ts";
import type { View } from "./view.ts";

/** The bounds of a view. */
export interface ViewOptions {
  /** Live series at most. */
  readonly max: number;
  /** How long the series of an ended run stay. */
  readonly retentionMs: number;
  /** The sources that there are: what others have left in a snapshot is not restored. All by default. */
  readonly sources?: readonly string[];
}

/** Makes an empty view. */
export function createView(options: ViewOptions): View {
  return assemble(options, undefined);
}

/**
 * Makes a view of what `snapshot` has written; a smaller `max` evicts what it must. Throws `WorkError` when the bytes
 * are damaged or were written by a newer mlmon.
 */
export function restoreView(snapshot: Uint8Array, options: ViewOptions): View {
  return assemble(options, decodeSnapshot(snapshot));
}

function assemble({ max, retentionMs, sources }: ViewOptions, from: SnapshotParts | undefined): View {
  const refused = createRefused(from?.refused);
  const live = createLiveRuns({ max, retentionMs, refused });
  const facts = createFacts(live, refused);
  const taker = createTaker(live, refused);
  const groupings = new WeakMap<(run: Run) => string, GroupVersions>();
  if (from) restore(from);

  function restore({ version, factsVersion, runs, facts: kept }: SnapshotParts): void {
    const isKept = (source = "") => sources === undefined || sources.includes(source);
    const isWhole = runs.every((run) => isKept(run.source)) && kept.every(([source]) => isKept(source));
    live.version = isWhole ? version : version + 1;
    for (const run of runs.filter(({ source }) => isKept(source))) {
      // The room of the series is taken beside that of the run, so that eviction gives back what was taken.
      const series = [...run.series];
      run.series.clear();
      if (!live.restore(run)) continue;
      for (const [local, entry] of series) {
        if (!live.reserve(1, run.endedAt ?? Number.POSITIVE_INFINITY)) refused.add(entry.metric.key);
        else run.series.set(local, entry);
      }
    }
    const ours = kept.filter(([source]) => isKept(source));
    facts.restore(ours, ours.length === kept.length ? factsVersion : live.version);
  }

  function apply(batch: Batch): void {
    const { time, source = "" } = batch;
    for (const run of batch.runs ?? []) {
      if (live.admit(run, time, source) === "refused") refused.add("run_info");
    }
    const measured = [batch.samples, batch.restored ?? []];
    for (const samples of measured) taker.take(samples, time, source);
    if (batch.facts) facts.replace(batch.facts, source);
    for (const samples of measured) {
      const loose = samples.filter(({ run }) => run === undefined);
      facts.merge(loose, source);
    }
    for (const run of batch.ended) {
      if (run.deleted) live.remove(run.id);
      else endRun(run, time, source);
    }
    live.expire(time);
  }

  function endRun(run: Run, time: number, source: string): void {
    const ended = live.admit(run, time, source);
    if (ended === "refused") refused.add("run_info");
    else if (ended !== "expired") live.end(ended, time);
  }

  function versions(groupBy?: (run: Run) => string): ReadonlyMap<string, number> {
    if (!groupBy) return new Map(live.version === 0 ? [] : [["", live.version]]);
    const known = groupings.get(groupBy) ?? createGroupVersions(live, groupBy, () => facts.version);
    groupings.set(groupBy, known);
    return known.read();
  }

  function latest(time: number, group?: Parameters<View["latest"]>[1]): Batch {
    const runs = [...live.runs.values()].filter(({ run }) => !group || group.groupBy(run) === group.name);
    const shared: readonly Sample[] = !group || group.name === "" ? facts.samples() : [];
    const samples = collectSamples(runs, shared);
    return { time, samples, ended: [], ...(group && { group: group.name }) };
  }

  return {
    apply,
    keepSources(kept) {
      const isGone = (source = "") => !kept.includes(source);
      for (const { run, source } of [...live.runs.values()]) if (isGone(source)) live.remove(run.id);
      facts.forget(isGone);
    },
    adopt({ parts }, sources, now) {
      facts.adopt(parts.facts, sources);
      return adoptRuns(live, { runs: parts.runs, sources }, refused, now);
    },
    parts: { runs: live.runs, facts },
    expire: live.expire,
    versions,
    latest,
    get version() {
      return live.version;
    },
    entries: () => [
      { part: "view", of: "runs", count: live.runs.size, max: Math.floor(max / seriesPerRun) },
      { part: "view", of: "facts", count: facts.samples().length, max },
      { part: "view", of: "metric_names", count: taker.metrics(), max: maxMetrics },
      { part: "view", of: "refused_keys", count: refused.counts.size, max: maxKeys },
    ],
    counts() {
      let series = facts.samples().length;
      for (const run of live.runs.values()) series += countRunSeries(run) + run.series.size;
      return { series, max, runs: live.runs.size, refused: refused.counts };
    },
    fact: facts.sum,
    snapshot: () =>
      encodeSnapshot({
        version: live.version,
        factsVersion: facts.version,
        runs: [...live.runs.values()],
        facts: facts.entries(),
        refused: [...refused.counts],
      }),
  };
}
