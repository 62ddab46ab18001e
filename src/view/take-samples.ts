import { isLater } from "../model/latest-rule.ts";
import type { Sample } from "../model/sample.ts";
import { cleanText } from "../prometheus/escape.ts";
import { metricName } from "../prometheus/names.ts";
import { labelsText, ownLabels } from "../prometheus/series.ts";
import type { LiveRun, LiveSeries, Metric, OwnLabels } from "./live-run.ts";
import type { LiveRuns } from "./live-runs.ts";
import type { Refused } from "./refused.ts";

/** Enters samples into the view. */
export interface Taker {
  take(samples: readonly Sample[], readAt: number, source: string): void;
  /** Metric keys it remembers the names of. */
  metrics(): number;
}

/** Metric keys at most; beyond them all are forgotten, and made anew as they come. */
export const maxMetrics = 50_000;

/**
 * Makes what enters samples into the view. It runs for every point there is; points of one series come in
 * a row, so that all but the first of a row cost three comparisons.
 */
export function createTaker(live: LiveRuns, refused: Refused): Taker {
  const metrics = new Map<string, Metric>();

  function take(samples: readonly Sample[], readAt: number, source: string): void {
    let last: Sample | undefined;
    let run: ReturnType<LiveRuns["admit"]> = "expired";
    let series: LiveSeries | undefined;
    for (const sample of samples) {
      if (sample.run === undefined) continue;
      if (sample.run !== last?.run) {
        run = live.admit(sample.run, readAt, source);
        last = undefined;
      }
      if (run === "expired") {
        last = sample;
        continue;
      }
      if (run !== "refused" && (last === undefined || sample.name !== last.name || sample.labels !== last.labels)) {
        series = findOrAdd(run, sample);
      }
      last = sample;
      if (run === "refused" || series === undefined) refused.add(sample.name);
      else enter(run, series, sample, readAt);
    }
  }

  function enter(run: LiveRun, series: LiveSeries, sample: Sample, readAt: number): void {
    const isNewest = sample.time > run.lastMetricTime && sample.time <= readAt + tolerance;
    const isLatest = isLater(sample, series);
    if (isNewest) run.lastMetricTime = sample.time;
    if (isLatest) {
      series.value = sample.value;
      series.time = sample.time;
      series.step = sample.step;
    }
    if (isNewest || isLatest) live.touch(run);
  }

  /** Where another key of the run has the name, the series is told apart by `metric_key`. */
  function findOrAdd(run: LiveRun, sample: Sample): LiveSeries | undefined {
    const metric = metricOf(sample.name);
    const own = readOwnLabels(sample);
    const local = own ? `${metric.name}{${own.text}` : metric.name;
    const found = run.series.get(local);
    const { value, time, step } = sample;
    const first = { metric, value, time, step };
    if (!found) return add(run, local, first, own);
    if (found.metric.key === metric.key) return found;
    const apart = withKey(metric.key, own);
    const localApart = `${metric.name}{${apart.text}`;
    return run.series.get(localApart) ?? add(run, localApart, first, apart);
  }

  function add(run: LiveRun, local: string, first: Omit<LiveSeries, "own">, own: OwnLabels | undefined) {
    if (!live.reserve(1, run.endedAt ?? Number.POSITIVE_INFINITY)) return undefined;
    const { metric, value, time, step } = first;
    const series: LiveSeries = { metric, own, value, time, step };
    run.series.set(local, series);
    live.touch(run);
    return series;
  }

  /** One object a key, whatever the number of runs that log it. */
  function metricOf(raw: string): Metric {
    const known = metrics.get(raw);
    if (known) return known;
    if (metrics.size >= maxMetrics) metrics.clear();
    const key = cleanText(raw);
    const metric = { key, name: metricName(key) };
    metrics.set(raw, metric);
    return metric;
  }

  return { take, metrics: () => metrics.size };
}

/** A client's clock may be so far ahead (ms) before what it says is left out of the newest time of a run. */
const tolerance = 86_400_000;

function readOwnLabels({ labels: given }: Sample): OwnLabels | undefined {
  if (given === undefined) return undefined;
  const labels = ownLabels(given);
  const text = labelsText(labels);
  return text === "" ? undefined : { given, labels, text };
}

function withKey(key: string, own: OwnLabels | undefined): OwnLabels {
  const labels = { ...own?.labels, metric_key: key };
  return { given: own?.given, labels, text: labelsText(labels) };
}
