import type { Issue } from "../model/errors.ts";
import { type Env, type OriginalSettings, secretVariable } from "./original.ts";

/** The variable of each setting. */
export const variables = {
  trackingUri: "MLFLOW_TRACKING_URI",
  interval: "EXPORT_INTERVAL",
  maxExperiments: "MAX_EXPERIMENTS",
  systemMetrics: "INCLUDE_SYSTEM_METRICS",
  gateway: "PROMETHEUS_GATEWAY",
  jobName: "PROMETHEUS_JOB_NAME",
  pramathusEndpoint: "PRAMATHUS_ENDPOINT",
  pramathusApiKey: "PRAMATHUS_API_KEY",
  pramathusEnabled: "PRAMATHUS_ENABLED",
} as const satisfies Partial<Record<keyof OriginalSettings, string>>;

/** Reads the variables of the original exporter; what cannot be understood goes to `issues` under its name. */
export function environmentSettings(env: Env, issues: Issue[]): OriginalSettings {
  return {
    trackingUri: text(env, variables.trackingUri),
    interval: number(env, variables.interval, issues, "a number of seconds above 0", Number.isFinite),
    maxExperiments: number(env, variables.maxExperiments, issues, "a whole number above 0", Number.isInteger),
    systemMetrics: truth(env, variables.systemMetrics, issues),
    gateway: text(env, variables.gateway),
    jobName: text(env, variables.jobName),
    pramathusEndpoint: text(env, variables.pramathusEndpoint),
    pramathusApiKey: secretVariable(variables.pramathusApiKey, env),
    pramathusEnabled: truth(env, variables.pramathusEnabled, issues),
  };
}

function text(env: Env, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function number(
  env: Env,
  name: string,
  issues: Issue[],
  expected: string,
  isGood: (value: number) => boolean,
): number | undefined {
  const value = text(env, name);
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (isGood(parsed) && parsed > 0) return parsed;
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
