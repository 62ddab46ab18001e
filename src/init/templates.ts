/** The files that `mlmon init` writes for people to change, by their path in the folder. */
export const templates: Readonly<Record<string, string>> = {
  "mlmon.config.ts": `// What mlmon reads, and where it delivers. After each change: mlmon validate, then mlmon dry-run.
import { defineConfig, env, filter, mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
import { ntfy } from "./plugins/ntfy.ts";

// Unset variables are empty, and an empty entry in a list below is skipped.
const gateway = env("PROMETHEUS_GATEWAY", "");
const pramathusEndpoint = env("PRAMATHUS_ENDPOINT", "");
const ntfyTopic = env("NTFY_TOPIC", "");

export default defineConfig({
  sources: [
    mlflow({
      trackingUri: env("MLFLOW_TRACKING_URI", "http://localhost:5000"),
      interval: "60s", // time between two polls
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
    gateway && pushgateway({ endpoint: gateway, job: "mlflow_metrics" }),

    // Every point as JSON. The second argument is the same for every sink: id, match, batch, timeout, retry.
    pramathusEndpoint &&
      pramathus(
        { endpoint: pramathusEndpoint, apiKey: secret.env("PRAMATHUS_API_KEY") },
        { batch: { size: 100 }, timeout: "10s" },
      ),

    // The plugin beside this file: a message to a phone for each final score.
    ntfyTopic && ntfy({ topic: ntfyTopic }, { match: (sample) => sample.name === "test/accuracy" }),
  ],

  series: {
    retention: "30d", // how long the series of an ended run stay
    max: 100_000, // live series at most
  },

  // Another host than loopback needs a token: { listen: "0.0.0.0:9890", token: secret.env("MLMON_TOKEN") }
  server: { listen: "127.0.0.1:9890" },
});
`,

  "plugins/ntfy.ts": `// A sink of your own: it says what to send, and mlmon batches, sends, retries, previews and never loses it.
import { defineHttpSink, option, v } from "mlmon";

const options = v.strictObject({
  /** The topic to publish to. */
  topic: v.pipe(v.string(), v.regex(/^[\\w-]+$/, "letters, digits, dash and underscore")),
  /** The server; the public one by default. */
  server: v.optional(option.url(), "https://ntfy.sh"),
});

/** Publishes each sample as a message of ntfy. */
export const ntfy = defineHttpSink("ntfy", options, ({ topic, server }) => ({
  // Pure: equal batches give equal requests, so that mlmon dry-run shows exactly what would be sent.
  render: ({ samples }) =>
    samples.map(({ name, value, step, run }) => ({
      method: "POST",
      url: \`\${server}/\${topic}\`,
      body: \`\${run?.experiment.name} / \${run?.name}: \${name} = \${value} at step \${step}\`,
    })),
}));
`,

  "tsconfig.json": `{
  // For the editor and tsc alone: mlmon itself needs neither this file nor node_modules.
  // The types are those of the mlmon that wrote them: "mlmon init --types" after an update or in a fresh clone.
  "compilerOptions": {
    "target": "ESNext",
    "module": "ESNext",
    "moduleResolution": "bundler",
    "lib": ["ESNext", "DOM", "DOM.Iterable"],
    "types": [],
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true,
    "jsx": "react-jsx",
    "jsxImportSource": "hono/jsx",
    "paths": {
      "mlmon": ["./.mlmon/types/mlmon/src/index.d.ts"],
      "mlmon/prometheus": ["./.mlmon/types/mlmon/src/prometheus/index.d.ts"],
      "mlmon/plugins/*": ["./.mlmon/types/mlmon/plugins/*.d.ts"],
      "valibot": ["./.mlmon/types/valibot/dist/index.d.mts"],
      "hono": ["./.mlmon/types/hono/dist/types/index.d.ts"],
      "hono/jsx": ["./.mlmon/types/hono/dist/types/jsx/index.d.ts"],
      "hono/jsx/*": ["./.mlmon/types/hono/dist/types/jsx/*.d.ts"]
    }
  },
  "include": ["mlmon.config.ts", "plugins"]
}
`,
};
