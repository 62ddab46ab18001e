/** The Compose stack's mlmon: everything to Prometheus, the Pushgateway and the Pramathus stand-in. */
import { defineConfig, env, mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";

export default defineConfig({
  sources: [mlflow({ interval: env("EXPORT_INTERVAL", "10s") })],
  sinks: [
    prometheus(),
    pushgateway({ endpoint: env("PROMETHEUS_GATEWAY"), job: env("PROMETHEUS_JOB_NAME", "mlflow_metrics") }),
    pramathus({ endpoint: env("PRAMATHUS_ENDPOINT"), apiKey: secret.env("PRAMATHUS_API_KEY") }),
  ],
  // The port is published on 127.0.0.1 alone. Beyond that, set MLMON_TOKEN and remove this line.
  server: { auth: "none" },
});
