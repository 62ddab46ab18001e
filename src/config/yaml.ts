import * as v from "valibot";
import { type Document, parseDocument } from "yaml";
import { ConfigError, type Issue } from "../model/errors.ts";
import { type Secret, secret } from "../model/secret.ts";
import { variableOf } from "./expand.ts";
import { explain } from "./explain.ts";
import { toIssues, type Warning } from "./issues.ts";
import type { OriginalSettings } from "./original.ts";
import { isSection, unusedKeys, usedKeys, yamlKeys } from "./yaml-keys.ts";

/** What a `config.yaml` of the original exporter says, and a warning for each key without a counterpart. */
export interface YamlSettings {
  readonly settings: OriginalSettings;
  readonly warnings: readonly Warning[];
}

/**
 * Gives the text that is meant by the one under a key such as `mlflow.tracking_uri`; nothing leaves the key out, for the
 * reason that is added to `issues`.
 */
export type Expand = (text: string, path: string, issues: Issue[]) => string | undefined;

/**
 * Reads the YAML of the original exporter; `origin` names the file in errors. The texts of its settings are what `expand`
 * makes of them, by default as they are written. A value of a wrong type goes to `issues` under its key and is left out.
 */
export function yamlSettings(
  text: string,
  origin: string,
  issues: Issue[],
  expand: Expand = (written) => written,
): YamlSettings {
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
  const unset: Issue[] = [];
  const meant = expanded(content, (written, path) => expand(written, path, unset));
  const { mlflow, prometheus, pramathus, export: schedule } = wellTyped(meant, issues);
  const isOff = prometheus.enabled === false;
  issues.push(...unset.filter(({ path }) => !(isOff && path.startsWith("prometheus."))));
  return {
    settings: {
      trackingUri: mlflow.tracking_uri,
      maxExperiments: mlflow.max_experiments ?? undefined,
      systemMetrics: mlflow.include_system_metrics,
      interval: schedule.interval,
      gateway: isOff ? undefined : prometheus.gateway,
      jobName: prometheus.job_name,
      pramathusEndpoint: pramathus.endpoint,
      pramathusApiKey: secretOf(pramathus.api_key),
      pramathusEnabled: pramathus.enabled,
      pramathusTimeout: pramathus.timeout,
      pramathusBatchSize: pramathus.batch_size,
    },
    warnings: unusedKeys(content),
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

function expanded(content: object, expand: (text: string, path: string) => string | undefined): object {
  const sections = Object.entries(content).map(([section, value]) => {
    if (!isSection(value)) return [section, value];
    const keys = Object.entries(value).map(([key, each]) => {
      const path = `${section}.${key}`;
      const isKept = typeof each !== "string" || (path === yamlKeys.pramathusApiKey && variableOf(each));
      return [key, isKept || !usedKeys(section)?.includes(key) ? each : expand(each, path)];
    });
    return [section, Object.fromEntries(keys.filter(([, each]) => each !== undefined))];
  });
  return Object.fromEntries(sections);
}

/** A key that is nothing but a variable stays a secret. */
function secretOf(apiKey: string | null | undefined): string | Secret | undefined {
  const name = variableOf(apiKey ?? "");
  return name ? secret.env(name) : apiKey || undefined;
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

const text = v.exactOptional(v.string());
/** Quoted, or put in by a variable, a number is a text. */
const numeric = v.pipe(v.unknown(), v.transform(asNumber), v.number());
const number = v.exactOptional(numeric);
const flag = v.exactOptional(v.pipe(v.unknown(), v.transform(asTruth), v.boolean()));
const schema = v.object({
  mlflow: section({ tracking_uri: text, max_experiments: v.nullish(numeric), include_system_metrics: flag }),
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

function asNumber(value: unknown): unknown {
  if (typeof value !== "string" || value.trim() === "") return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : value;
}

/** The spellings of YAML 1.1, which the original exporter reads. */
function asTruth(value: unknown): unknown {
  const word = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (["true", "yes", "on"].includes(word)) return true;
  return ["false", "no", "off"].includes(word) ? false : value;
}
