import type { Batch } from "../../src/model/batch.ts";
import { clientHeaders } from "../beds/mlflow-kind.ts";

/** Where the server keeps the files of a run; workspaces have places of their own. */
export async function artifactsOf(url: string, run: string): Promise<string> {
  const answer = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${run}`, { headers: clientHeaders() });
  return (await answer.json()).run.info.artifact_uri;
}

/** Every point the server holds of a run, read page by page without any of the source's code: `key|value|time|step`. */
export async function serverPoints(url: string, run: string): Promise<string[]> {
  const init = { headers: clientHeaders() };
  const answer = await fetch(`${url}/api/2.0/mlflow/runs/get?run_id=${run}`, init);
  const body = await answer.json();
  const points: string[] = [];
  for (const { key } of body.run.data.metrics ?? []) {
    const history = await fetch(
      `${url}/api/2.0/mlflow/metrics/get-history?run_id=${run}&metric_key=${encodeURIComponent(key)}&max_results=1000000`,
      init,
    );
    for (const metric of (await history.json()).metrics ?? []) {
      const value = Math.abs(metric.value) === Number.MAX_VALUE ? metric.value * 2 : Number(metric.value);
      points.push(pointText(key, value, metric.timestamp, metric.step));
    }
  }
  return points.sort();
}

/** The same of what the source emitted for a run. */
export function emittedPoints(batches: readonly Batch[], run: string): string[] {
  return batches
    .flatMap(({ samples }) => samples.filter((sample) => sample.run?.id === run))
    .map(({ name, value, time, step }) => pointText(name, value, time, step))
    .sort();
}

/** What one list has more often than the other. */
export function compare(
  expected: readonly string[],
  actual: readonly string[],
): { missing: string[]; extra: string[] } {
  const left = [...expected];
  const extra: string[] = [];
  const counts = Map.groupBy(left, (point) => point);
  for (const point of actual) {
    const same = counts.get(point);
    if (same && same.length > 0) same.pop();
    else extra.push(point);
  }
  return { missing: [...counts.values()].flat(), extra };
}

function pointText(key: string, value: number, time: number, step: number): string {
  return `${key}|${Object.is(value, -0) ? 0 : value}|${time}|${step}`;
}
