import * as v from "valibot";
import { type Document, parseDocument } from "yaml";
import { ConfigError, type Issue } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";
import { explain } from "./explain.ts";
import { toIssues } from "./issues.ts";
import type { OriginalSettings } from "./original.ts";

/** What a `config.yaml` of the original exporter says, and a warning for each key without a counterpart. */
export interface YamlSettings {
  readonly settings: OriginalSettings;
  readonly warnings: readonly string[];
}

/**
 * Reads the YAML of the original exporter; `origin` names the file in errors. A value of a wrong type goes to `issues`
 * under its key and is left out.
 */
export function yamlSettings(text: string, origin: string, issues: Issue[]): YamlSettings {
  const document = parseDocument(text, { prettyErrors: true });
  const [mistake] = document.errors;
  if (mistake) {
    const message = (mistake.message.split("\n")[0] ?? mistake.message).replace(/:$/, "");
    throw new ConfigError(`Cannot read the configuration "${origin}": it is not YAML: ${message}`);
  }
  const content = contentOf(document, origin);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    const message = "expected sections such as mlflow:, prometheus:, pramathus:, export:";
    throw new ConfigError(`Cannot use the configuration "${origin}": ${message}`);
  }
  const { mlflow, prometheus, pramathus, export: schedule } = wellTyped(content, issues);
  return {
    settings: {
      trackingUri: mlflow.tracking_uri,
      maxExperiments: mlflow.max_experiments ?? undefined,
      systemMetrics: mlflow.include_system_metrics,
      interval: schedule.interval,
      gateway: prometheus.enabled === false ? undefined : prometheus.gateway,
      jobName: prometheus.job_name,
      pramathusEndpoint: pramathus.endpoint,
      pramathusApiKey: pramathus.api_key || undefined,
      pramathusEnabled: pramathus.enabled,
      pramathusTimeout: pramathus.timeout,
      pramathusBatchSize: pramathus.batch_size,
    },
    warnings: unused(content),
  };
}

/** Aliases that multiply each other are refused: a few lines of them would fill the memory. */
function contentOf(document: Document, origin: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    throw new ConfigError(`Cannot read the configuration "${origin}": ${explain(cause, origin)}`, [], { cause });
  }
}

function wellTyped(content: object, issues: Issue[]): v.InferOutput<typeof schema> {
  const parsed = v.safeParse(schema, content);
  if (parsed.success) return parsed.output;
  issues.push(...toIssues(parsed.issues, "", () => []));
  const rest = structuredClone(content);
  for (const { path } of parsed.issues) {
    const [section, key] = (path ?? []).map((step) => String(step.key));
    if (section === undefined) continue;
    if (key === undefined) Reflect.deleteProperty(rest, section);
    else Reflect.deleteProperty(Reflect.get(rest, section), key);
  }
  return v.parse(schema, rest);
}

/** The key of each setting. */
export const yamlKeys = {
  trackingUri: "mlflow.tracking_uri",
  interval: "export.interval",
  maxExperiments: "mlflow.max_experiments",
  gateway: "prometheus.gateway",
  jobName: "prometheus.job_name",
  pramathusEndpoint: "pramathus.endpoint",
  pramathusApiKey: "pramathus.api_key",
  pramathusTimeout: "pramathus.timeout",
  pramathusBatchSize: "pramathus.batch_size",
} as const satisfies Partial<Record<keyof OriginalSettings, string>>;

/** The keys that have a counterpart; the rest is accepted and named in a warning. */
const used: Readonly<Record<string, readonly string[]>> = {
  mlflow: ["tracking_uri", "max_experiments", "include_system_metrics"],
  prometheus: ["gateway", "job_name", "enabled"],
  pramathus: ["endpoint", "api_key", "enabled", "timeout", "batch_size"],
  export: ["interval"],
};

const text = v.exactOptional(v.string());
const number = v.exactOptional(v.number());
const flag = v.exactOptional(v.boolean());
const schema = v.object({
  mlflow: section({ tracking_uri: text, max_experiments: v.nullish(v.number()), include_system_metrics: flag }),
  prometheus: section({ gateway: text, job_name: text, enabled: flag }),
  pramathus: section({
    endpoint: text,
    api_key: v.exactOptional(v.nullable(v.string())),
    enabled: flag,
    timeout: number,
    batch_size: number,
  }),
  export: section({ interval: number }),
});

/** A list is an object, too, whose keys would all be missing. */
function section<Entries extends v.ObjectEntries>(entries: Entries) {
  const keys = v.check((value: unknown) => !Array.isArray(value), "keys with values");
  return v.nullish(v.pipe(v.unknown(), keys, v.object(entries)), {});
}

const hints: Readonly<Record<string, string>> = {
  "export.mode": "the command decides: mlmon run, or mlmon export-once",
  "logging.level": "use --log-level or MLMON_LOG_LEVEL",
  "logging.format": "use --log-format or MLMON_LOG_FORMAT",
  "logging.file": "logs go to stderr: redirect it",
};

function unused(content: object): readonly string[] {
  return Object.entries(content).flatMap(([section, value]) => {
    const isSection = typeof value === "object" && value !== null && !Array.isArray(value);
    const keys = isSection ? Object.keys(value) : [];
    const own = Object.hasOwn(used, section) ? used[section] : undefined;
    if (keys.length === 0) return own ? [] : [warning(section, Object.keys(used))];
    const known = own?.map((key) => `${section}.${key}`) ?? [];
    return keys.filter((key) => !own?.includes(key)).map((key) => warning(`${section}.${key}`, known));
  });
}

function warning(path: string, known: readonly string[]): string {
  if (Object.hasOwn(hints, path)) return `"${path}" is not used: ${hints[path]}`;
  const near = nearest(path, known) ?? elsewhere(path);
  return `"${path}" has no counterpart in mlmon and is not used${near ? `: did you mean "${near}"?` : ""}`;
}

/** A key that is known under another section, or one of a section whose name is misspelt. */
function elsewhere(path: string): string | undefined {
  const all = Object.entries(used).flatMap(([section, keys]) => keys.map((key) => `${section}.${key}`));
  const [, key = path] = path.split(".");
  const same = all.filter((each) => each.endsWith(`.${key}`));
  return nearest(path, all) ?? (same.length === 1 ? same[0] : undefined);
}
