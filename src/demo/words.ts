import type { Status } from "../server/status.ts";
import type { ReceiverCounts } from "./receivers.ts";

/** The addresses that the demo names. */
export interface DemoPlaces {
  /** The status server's. */
  readonly url: string;
  readonly trackingUri: string;
  readonly receiver: string;
}

const ownMlflow = "MLFLOW_TRACKING_URI=http://localhost:5000 npx bun --no-install src/cli.ts run";

/** What the demo says when it runs. */
export function welcome({ url, trackingUri, receiver }: DemoPlaces): string {
  return `
mlmon runs. A simulated training writes to a small MLflow at ${trackingUri};
mlmon reads it every 2 s and delivers to a page for Prometheus,
a simulated Pushgateway and a simulated Pramathus.

  Status page       ${url}/
  Metrics           ${url}/metrics
  What was received ${receiver}/
  Your own MLflow   ${ownMlflow}
  Your own config   npm start -- --config my.config.ts
  Stop              Ctrl-C

`;
}

/** What the demo says when it has ended. */
export const farewell = `\nEverything has ended. For your own MLflow: ${ownMlflow}\n`;

/** One line of numbers: what is shown, what has arrived, how late it is. */
export function numbersLine({ sinks, view }: Status, { samples, series, refused }: ReceiverCounts): string {
  const lag = Math.max(0, ...sinks.map(({ lagSeconds }) => lagSeconds));
  const failing = sinks.filter(({ lastError }) => lastError).map(({ id }) => id);
  return [
    `${view.runs} runs, ${view.series} series on the page`,
    `Pramathus ${samples} samples`,
    `Pushgateway ${series} series`,
    `lag ${lag.toFixed(1)} s`,
    ...(refused > 0 ? [`${refused} requests refused`] : []),
    ...(failing.length > 0 ? [`failing: ${failing.join(", ")}`] : []),
  ]
    .join(" | ")
    .concat("\n");
}
