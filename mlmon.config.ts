// An example to copy and change: much as mlmon without a file, but without the metrics under "debug/" and with a key
// for Pramathus. After each change: mlmon validate, then mlmon dry-run.
import { defineConfig, env, filter, mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";

// Unset variables are empty here, and an empty entry in a list below is skipped.
const gateway = env("PROMETHEUS_GATEWAY", "");
const pramathusEndpoint = env("PRAMATHUS_ENDPOINT", "");

export default defineConfig({
  sources: [
    mlflow({
      trackingUri: env("MLFLOW_TRACKING_URI", "http://localhost:5000"),
      interval: env("EXPORT_INTERVAL", "60s"), // time between two polls
      // maxExperiments: 10,          // only the most recently created
      // experiments: ["vision-*"],   // only those with such a name
      // systemMetrics: true,         // CPU, memory and GPU of the training machines, too
    }),
  ],

  // Applied in this order to everything that was read.
  transforms: [filter((sample) => !sample.name.startsWith("debug/"))],

  sinks: [
    // The page /metrics of the status server, for Prometheus to scrape.
    prometheus(),

    // The latest values, pushed to a Pushgateway. Let one Prometheus read this or the page: both count twice.
    gateway && pushgateway({ endpoint: gateway, job: env("PROMETHEUS_JOB_NAME", "mlflow_metrics") }),

    // Every point as JSON. The second argument is the same for every sink: id, match, batch, timeout, retry.
    pramathusEndpoint &&
      pramathus(
        { endpoint: pramathusEndpoint, apiKey: secret.env("PRAMATHUS_API_KEY") },
        { batch: { size: 100 }, timeout: "10s" },
      ),
  ],

  series: {
    retention: "30d", // how long the series of an ended run stay
    max: 100_000, // live series at most
  },

  // MLMON_LISTEN and --listen win. Another host than loopback needs a token: token: secret.env("MLMON_TOKEN")
  server: { listen: "127.0.0.1:9890" },
});
