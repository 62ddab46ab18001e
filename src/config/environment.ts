import type { Issue } from "../model/errors.ts";
import { type Env, type OriginalSettings, secretVariable } from "./original.ts";

/** Reads the variables of the original exporter; what cannot be understood goes to `issues` under its name. */
export function environmentSettings(env: Env, issues: Issue[]): OriginalSettings {
  return {
    trackingUri: text(env, "MLFLOW_TRACKING_URI"),
    interval: number(env, "EXPORT_INTERVAL", issues, "a number of seconds"),
    maxExperiments: number(env, "MAX_EXPERIMENTS", issues, "a whole number"),
    systemMetrics: truth(env, "INCLUDE_SYSTEM_METRICS", issues),
    gateway: text(env, "PROMETHEUS_GATEWAY"),
    jobName: text(env, "PROMETHEUS_JOB_NAME"),
    pramathusEndpoint: text(env, "PRAMATHUS_ENDPOINT"),
    pramathusApiKey: secretVariable("PRAMATHUS_API_KEY", env),
    pramathusEnabled: truth(env, "PRAMATHUS_ENABLED", issues),
  };
}

function text(env: Env, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function number(env: Env, name: string, issues: Issue[], expected: string): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (Number.isFinite(parsed) && parsed > 0) return parsed;
  issues.push({ path: name, message: `expected ${expected}: found "${value}"` });
  return undefined;
}

/** The spellings that YAML and Python know. */
function truth(env: Env, name: string, issues: Issue[]): boolean | undefined {
  const value = text(env, name)?.toLowerCase();
  if (value === undefined) return undefined;
  if (["true", "1", "yes", "on"].includes(value)) return true;
  if (["false", "0", "no", "off"].includes(value)) return false;
  issues.push({ path: name, message: `expected true or false: found "${value}"` });
  return undefined;
}
