import type { Run } from "../model/run.ts";
import type { Sample, Series } from "../model/sample.ts";
import { cleanText, escapeLabelValue } from "./escape.ts";
import { factName, labelName, metricName } from "./names.ts";

/** Values by label name, both as they are before escaping. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Gives a sample its Prometheus identity. Samples of `"latest"` sinks have one already, which also keeps apart keys and
 * runs that fall on one name; this one is for sinks of points, and knows the sample alone.
 */
export function seriesOf(sample: Sample): Series {
  if (sample.series) return sample.series;
  const { run } = sample;
  const name = run ? metricName(sample.name) : factName(sample.name);
  return makeSeries(name, { ...(run && runLabels(run, shortId(run))), ...ownLabels(sample.labels) });
}

/** The labels that every series of a run carries, `runId` being the short id or whatever keeps the run apart. */
export function runLabels(run: Run, runId: string): Labels {
  return {
    run_id: cleanText(runId),
    experiment_name: cleanText(run.experiment.name),
    model_stage: cleanText(run.stage),
  };
}

/** The first 8 characters of a run's id. */
export function shortId(run: Run): string {
  return run.id.slice(0, shortIdLength);
}

/** Characters of a run's id in its label `run_id`. */
export const shortIdLength = 8;

/**
 * Makes labels that were added by transforms or facts fit: names sanitised and sorted, empty values (to Prometheus the
 * same as no label) left out. One that would hide a label of a run or of a scrape target gets `exported_` before it.
 */
export function ownLabels(labels: Labels | undefined, reserved: ReadonlySet<string> = reservedLabels): Labels {
  const cleaned: Record<string, string> = {};
  for (const label of Object.keys(labels ?? {}).sort()) {
    const value = cleanText(labels?.[label] ?? "");
    if (value === "") continue;
    const wanted = labelName(label);
    let name = reserved.has(wanted) ? `exported_${wanted}` : wanted;
    while (Object.hasOwn(cleaned, name)) name += "_";
    cleaned[name] = value;
  }
  // Other spellings sort otherwise: equal labels must give one text.
  return Object.fromEntries(Object.entries(cleaned).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Labels that belong to the scrape target or the Pushgateway's path. */
export const targetLabels: ReadonlySet<string> = new Set(["job", "instance"]);

/** Builds a series of labels that are clean already. */
export function makeSeries(name: string, labels: Labels): Series {
  const text = labelsText(labels);
  return { name, labels, id: text === "" ? name : `${name}{${text}}` };
}

/** Writes labels as they stand between the braces: `run_id="4de1a2b3",model_stage="None"`. */
export function labelsText(labels: Labels): string {
  let text = "";
  for (const name in labels) {
    text += `${text === "" ? "" : ","}${name}="${escapeLabelValue(labels[name] ?? "")}"`;
  }
  return text;
}

const reservedLabels: ReadonlySet<string> = new Set([
  "run_id",
  "experiment_name",
  "model_stage",
  "metric_key",
  ...targetLabels,
]);
