import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { cleanText } from "../prometheus/escape.ts";
import { factName, ownNames } from "../prometheus/names.ts";
import { makeSeries, shortIdLength } from "../prometheus/series.ts";
import type { LiveRun } from "./live-run.ts";

/** Series that `runSeries` makes of one run at most; the cap reckons with so many. */
export const seriesPerRun = 4;

/** Makes the series that say what is known of a run itself; none depends on the clock. */
export function runSeries(live: LiveRun): Sample[] {
  const { run, lastMetricTime } = live;
  const samples = [infoSample(live)];
  if (isKnown(run.startTime)) samples.push(timeSample(live, "run_start_time_seconds", run.startTime));
  if (isKnown(run.endTime)) samples.push(timeSample(live, "run_end_time_seconds", run.endTime));
  if (isKnown(lastMetricTime)) samples.push(timeSample(live, "run_last_metric_time_seconds", lastMetricTime));
  return samples;
}

/** Counts them without making them. */
export function countRunSeries({ run, lastMetricTime }: LiveRun): number {
  return 1 + [run.startTime, run.endTime, lastMetricTime].filter(isKnown).length;
}

/** Whether a sample of the view is one of them; a metric of such a name has another series. Asked of each. */
export function isRunSeries({ name, run, series }: Sample): boolean {
  return run !== undefined && ownNames.has(name) && series?.name === factName(name);
}

function infoSample({ run, labels }: LiveRun): Sample {
  const parent = parentOf(run);
  const info = {
    ...labels,
    run_name: cleanText(run.name),
    experiment_id: cleanText(run.experiment.id),
    status: run.status,
    user: cleanText(run.user),
    run_uuid: cleanText(run.id),
    ...(parent && { parent_run_id: cleanText(parent.slice(0, shortIdLength)) }),
  };
  const series = makeSeries("mlflow_run_info", info);
  return { name: "run_info", value: 1, time: run.startTime, step: 0, run, series };
}

/** The id of the run in which this one is nested; empty or absent for others. */
export function parentOf({ tags }: Run): string | undefined {
  return tags["mlflow.parentRunId"];
}

function timeSample({ run, labels }: LiveRun, name: string, time: number): Sample {
  const { run_id = "", experiment_name = "" } = labels;
  const series = makeSeries(`mlflow_${name}`, { run_id, experiment_name });
  return { name, value: time / 1000, time: run.startTime, step: 0, run, series };
}

function isKnown(time: number | undefined): time is number {
  return time !== undefined && Number.isFinite(time) && time > 0;
}
