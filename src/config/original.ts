import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { mlflow } from "../mlflow/mlflow.ts";
import { type Secret, secret } from "../model/secret.ts";
import type { Config } from "./config.ts";

/** The settings of the original exporter, from its variables or its YAML file; the one place that names vendors. */
export interface OriginalSettings {
  readonly trackingUri?: string | undefined;
  /** Seconds. */
  readonly interval?: number | undefined;
  readonly maxExperiments?: number | undefined;
  readonly systemMetrics?: boolean | undefined;
  /** `host:port` or a URL; no Pushgateway without it. */
  readonly gateway?: string | undefined;
  readonly jobName?: string | undefined;
  readonly pramathusEndpoint?: string | undefined;
  readonly pramathusApiKey?: string | Secret | undefined;
  readonly pramathusEnabled?: boolean | undefined;
  /** Seconds. */
  readonly pramathusTimeout?: number | undefined;
  readonly pramathusBatchSize?: number | undefined;
}

/** Makes the configuration that does what the original exporter did: page, Pushgateway, Pramathus. */
export function originalConfig(settings: OriginalSettings): Config {
  const { trackingUri, interval, maxExperiments, systemMetrics, gateway, jobName } = settings;
  const { pramathusEndpoint: endpoint, pramathusApiKey: apiKey, pramathusEnabled = true } = settings;
  const { pramathusTimeout: timeout, pramathusBatchSize: size } = settings;
  return {
    sources: [mlflow(given({ trackingUri, interval, maxExperiments, systemMetrics }))],
    sinks: [
      prometheus(),
      gateway && pushgateway({ endpoint: gateway, ...given({ job: jobName }) }),
      endpoint &&
        pramathusEnabled &&
        pramathus(
          { endpoint, ...given({ apiKey }) },
          given({ timeout, batch: size === undefined ? undefined : { size } }),
        ),
    ],
  };
}

/**
 * What a user calls the places of `originalConfig`, to name a mistake by its variable or key and not by a path in a file
 * that does not exist; `called` gives the name of each setting.
 */
export function originalNames(
  called: Partial<Record<keyof OriginalSettings, string>>,
): Readonly<Record<string, string>> {
  const known = Object.entries(places).map(([setting, place]) => [place, Reflect.get(called, setting)]);
  return Object.fromEntries(known.filter(([, name]) => name !== undefined));
}

const places: Readonly<Partial<Record<keyof OriginalSettings, string>>> = {
  trackingUri: "sources[0].trackingUri",
  interval: "sources[0].interval",
  maxExperiments: "sources[0].maxExperiments",
  gateway: "sinks[1].endpoint",
  jobName: "sinks[1].job",
  pramathusEndpoint: "sinks[2].endpoint",
  pramathusApiKey: "sinks[2].apiKey",
  pramathusTimeout: "sinks[2].timeout",
  pramathusBatchSize: "sinks[2].batch.size",
};

/** A secret that stands in a variable. */
export function secretVariable(name: string, env: Env): Secret | undefined {
  return env[name]?.trim() ? secret.env(name) : undefined;
}

/** Variables as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>;

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Leaves out what is not set. */
function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
}
