/** HELP of every series that mlmon itself makes of MLflow, by name without the prefix; metrics must not use them. */
export const ownNames: ReadonlyMap<string, string> = new Map([
  ["up", "Whether the last poll of MLflow succeeded."],
  ["experiments", "Experiments in MLflow."],
  ["runs", "Runs in MLflow by status."],
  ["registered_models", "Registered models in MLflow."],
  ["model_versions", "Model versions in MLflow."],
  ["model_version_info", "A version of a registered model; always 1."],
  ["run_info", "What MLflow knows of a run as text; always 1."],
  ["run_start_time_seconds", "Unix time at which a run started, by the clock of its client."],
  ["run_end_time_seconds", "Unix time at which a run ended, by the clock of its client."],
  ["run_last_metric_time_seconds", "Unix time of the newest metric of a run, by the clock of its client."],
]);

/**
 * Names the series of a metric key: `mlflow_` and the key with every character outside `[a-zA-Z0-9_]` turned into `_`.
 * A key that falls on one of mlmon's own names becomes `mlflow_metric_…`.
 */
export function metricName(key: string): string {
  const name = key.replace(outside, "_");
  return ownNames.has(name) ? `mlflow_metric_${name}` : `mlflow_${name}`;
}

/** Names the series of a server-wide fact such as `experiments`: as `metricName`, but own names are meant. */
export function factName(name: string): string {
  return `mlflow_${name.replace(outside, "_")}`;
}

/**
 * Turns any text into a label name `[a-zA-Z_][a-zA-Z0-9_]*`. A name that starts with a digit gets an underscore
 * before it, and one that starts with two keeps one, for those belong to Prometheus.
 */
export function labelName(text: string): string {
  const name = text.replace(outside, "_").replace(/^_+/, "_");
  return /^[a-zA-Z_]/.test(name) ? name : `_${name}`;
}

const outside = /[^a-zA-Z0-9_]/gu;
