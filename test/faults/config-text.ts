/** Where the mlmon of one scenario reads and delivers. */
export interface ConfigPlaces {
  readonly mlflow: string;
  readonly experiment: string;
  readonly pramathus: string;
  readonly gateway: string;
  readonly tally: string;
  /** How long MLflow may take for an answer. */
  readonly sourceTimeout: string;
}

/** The most samples in one request of each sink of points: the slice that a kill may double. */
export const slices = { pramathus: 100, tally: 50 } as const;

/** The configuration as a user would write it, with waits so short that a scenario takes seconds. */
export function configText({ mlflow, experiment, pramathus, gateway, tally, sourceTimeout }: ConfigPlaces): string {
  const text = JSON.stringify;
  return `import { defineConfig, mlflow } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
import { tally } from "./tally.ts";

const host = { timeout: "2s", retry: { base: "50ms", cap: "500ms" } };

export default defineConfig({
  sources: [mlflow({ trackingUri: ${text(mlflow)}, experiments: [${text(experiment)}], interval: "300ms", timeout: ${text(sourceTimeout)} })],
  sinks: [
    pramathus({ endpoint: ${text(pramathus)} }, host),
    pushgateway({ endpoint: ${text(gateway)} }, host),
    tally({ endpoint: ${text(tally)} }, { ...host, batch: { interval: "100ms" } }),
    prometheus(),
  ],
});
`;
}

/** A user's own sink, in a file beside the configuration. */
export const tallyText = `import { defineHttpSink, option, v } from "mlmon";

const options = v.strictObject({ endpoint: option.url() });

export const tally = defineHttpSink("tally", options, ({ endpoint }) => ({
  limits: { samples: ${slices.tally} },
  render({ samples }) {
    if (samples.length === 0) return [];
    const lines = samples.map(({ run, name, value, time, step }) =>
      JSON.stringify({ run: run?.id, key: name, value: String(value), time, step }),
    );
    return [{ method: "POST", url: endpoint, headers: { "content-type": "application/x-ndjson" }, body: lines.join("\\n") }];
  },
}));
`;
