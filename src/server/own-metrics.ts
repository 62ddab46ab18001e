import { Counter, Gauge, Registry } from "prom-client";
import { cleanText } from "../prometheus/escape.ts";
import { ownSeries } from "./own-series.ts";
import type { Status } from "./status.ts";

/** mlmon's own series, `mlmon_…`. */
export interface OwnMetrics {
  /** Text exposition 0.0.4, gathered at the moment of the call. */
  text(): Promise<string>;
}

/** Makes the series out of the status, with a registry of their own; called once a process. */
export function createOwnMetrics(status: () => Status): OwnMetrics {
  const registry = new Registry();
  const registers = [registry];
  const metrics = ownSeries.map(({ name, kind, help, labels = [], values }) => {
    const options = { name, help, labelNames: [...labels], registers };
    if (kind === "counter") {
      const metric = new Counter(options);
      return { metric, values, put: metric.inc.bind(metric) };
    }
    const metric = new Gauge(options);
    return { metric, values, put: metric.set.bind(metric) };
  });
  return {
    async text() {
      const now = status();
      // Both kinds are filled anew at each scrape: the figures live elsewhere.
      for (const { metric, values, put } of metrics) {
        metric.reset();
        for (const [labels, value] of values(now)) put(cleaned(labels), value);
      }
      return registry.metrics();
    },
  };
}

/** Keys and reasons are the words of others. */
function cleaned(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, cleanText(value)]));
}
