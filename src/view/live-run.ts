import type { Run } from "../model/run.ts";
import type { Sample, Series } from "../model/sample.ts";
import { type Labels, labelsText, runLabels } from "../prometheus/series.ts";
import { parentOf } from "./run-series.ts";

/** A run that has series, and what all of them share: the text of a label stands here once, not once a series. */
export interface LiveRun {
  run: Run;
  /** The value of `run_id`: short, or whatever keeps it apart from a run that came before. */
  readonly label: string;
  /** The source that has read it. */
  readonly source: string | undefined;
  /** The labels of the run, and the same as text. */
  labels: Labels;
  text: string;
  /** By name and own labels. */
  readonly series: Map<string, LiveSeries>;
  /** Unix ms of the newest metric; 0 when there was none. */
  lastMetricTime: number;
  /** Unix ms from which `series.retention` counts; absent while the run lives. */
  endedAt: number | undefined;
  /** The view's version at the last change of anything the run shows. */
  version: number;
}

/** The latest value of one metric. There are 100 000 of these: numbers, and references to what many share. */
export interface LiveSeries {
  readonly metric: Metric;
  /** Labels beyond those of the run; absent for nearly all. */
  readonly own: OwnLabels | undefined;
  value: number;
  time: number;
  step: number;
}

/** A metric key and the name it falls on. */
export interface Metric {
  readonly key: string;
  readonly name: string;
}

/** The labels of a sample beside those of its run. */
export interface OwnLabels {
  /** As the sample brought them. */
  readonly given: Labels | undefined;
  /** Cleaned, and with `metric_key` where another key has the name. */
  readonly labels: Labels;
  readonly text: string;
}

/** Makes a live run without series; `label` is its short id. */
export function createLiveRun(run: Run, label: string, source: string | undefined): LiveRun {
  const labels = runLabels(run, label);
  const text = labelsText(labels);
  return { run, label, source, labels, text, series: new Map(), lastMetricTime: 0, endedAt: undefined, version: 0 };
}

/** Takes what is new about a run; returns whether any of its series changes by it. Moved labels move all series. */
export function describeAnew(live: LiveRun, run: Run): boolean {
  const before = live.run;
  live.run = run;
  if (sameFacts(before, run)) return false;
  live.labels = runLabels(run, live.label);
  live.text = labelsText(live.labels);
  return true;
}

/** Makes the sample that sinks are given. */
export function toSample({ run, labels, text }: LiveRun, { metric, own, value, time, step }: LiveSeries): Sample {
  const { key: name } = metric;
  if (own === undefined) {
    const series: Series = { name: metric.name, labels, id: `${metric.name}{${text}}` };
    return { name, value, time, step, run, series };
  }
  const series = { name: metric.name, labels: { ...labels, ...own.labels }, id: `${metric.name}{${text},${own.text}}` };
  return { name, value, time, step, run, ...(own.given && { labels: own.given }), series };
}

function sameFacts(a: Run, b: Run): boolean {
  return (
    a.name === b.name &&
    a.status === b.status &&
    a.stage === b.stage &&
    a.user === b.user &&
    a.startTime === b.startTime &&
    a.endTime === b.endTime &&
    parentOf(a) === parentOf(b) &&
    a.experiment.id === b.experiment.id &&
    a.experiment.name === b.experiment.name
  );
}
