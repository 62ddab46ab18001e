import { nearest } from "../model/nearest.ts";
import type { Warning } from "./issues.ts";
import type { OriginalSettings } from "./original.ts";

/** The key of each setting. */
export const yamlKeys = {
  trackingUri: "mlflow.tracking_uri",
  interval: "export.interval",
  maxExperiments: "mlflow.max_experiments",
  systemMetrics: "mlflow.include_system_metrics",
  gateway: "prometheus.gateway",
  jobName: "prometheus.job_name",
  pramathusEndpoint: "pramathus.endpoint",
  pramathusApiKey: "pramathus.api_key",
  pramathusEnabled: "pramathus.enabled",
  pramathusTimeout: "pramathus.timeout",
  pramathusBatchSize: "pramathus.batch_size",
} as const satisfies Partial<Record<keyof OriginalSettings, string>>;

/** The keys of a section that have a counterpart in mlmon; nothing for a section without any. */
export function usedKeys(section: string): readonly string[] | undefined {
  return Object.hasOwn(used, section) ? used[section] : undefined;
}

/** Whether a value holds keys: a list does not. */
export function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Warns of each key without a counterpart in mlmon, with what to do instead or the key that was probably meant. */
export function unusedKeys(content: object): readonly Warning[] {
  return Object.entries(content).flatMap(([section, value]) => {
    const keys = isSection(value) ? Object.keys(value) : [];
    const own = usedKeys(section);
    if (keys.length === 0) return own ? [] : [warning(section, Object.keys(used))];
    const known = own?.map((key) => `${section}.${key}`) ?? [];
    return keys.filter((key) => !own?.includes(key)).map((key) => warning(`${section}.${key}`, known));
  });
}

const used: Readonly<Record<string, readonly string[]>> = {
  mlflow: ["tracking_uri", "max_experiments", "include_system_metrics"],
  prometheus: ["gateway", "job_name", "enabled"],
  pramathus: ["endpoint", "api_key", "enabled", "timeout", "batch_size"],
  export: ["interval"],
};

const hints: Readonly<Record<string, string>> = {
  "export.mode": "the command decides: mlmon run, or mlmon export-once",
  "logging.level": "use --log-level or MLMON_LOG_LEVEL",
  "logging.format": "use --log-format or MLMON_LOG_FORMAT",
  "logging.file": "logs go to stderr: redirect it",
};

function warning(path: string, known: readonly string[]): Warning {
  if (Object.hasOwn(hints, path)) return { path, message: `is not used: ${hints[path]}` };
  const near = nearest(path, known) ?? elsewhere(path);
  const message = "has no counterpart in mlmon and is not used";
  return near ? { path, message: `${message}: did you mean "${near}"?`, isMisspelt: true } : { path, message };
}

/** A key that is known under another section, or one of a section whose name is misspelt. */
function elsewhere(path: string): string | undefined {
  const all = Object.entries(used).flatMap(([section, keys]) => keys.map((key) => `${section}.${key}`));
  const [, key = path] = path.split(".");
  const same = all.filter((each) => each.endsWith(`.${key}`));
  return nearest(path, all) ?? (same.length === 1 ? same[0] : undefined);
}
