import type { ActiveSink } from "../delivery/active-sink.ts";
import type { View } from "../view/view.ts";
import type { SinkPreview } from "./preview.ts";

/** A Pushgateway checks everything it holds at each push; with more series than this a push takes tens of ms. */
const manySeries = 10_000;

/**
 * Says what the user should know before sending: series beyond the cap, names that collide, many series for a push; what
 * does not concern the sinks that are shown is left out.
 */
export function warningsOf(
  view: View,
  previews: readonly SinkPreview[],
  sinks: readonly ActiveSink[],
): readonly string[] {
  if (!sinks.some(({ traits }) => traits.consumes === "latest")) return [];
  return [...capWarnings(view), ...collisionWarnings(view), ...pushWarnings(previews, sinks)];
}

function capWarnings(view: View): string[] {
  const { refused, max } = view.counts();
  const keys = [...refused.keys()];
  if (keys.length === 0) return [];
  return [`more than ${max} series: some of ${keys.slice(0, 5).join(", ")} are left out; raise series.max or filter`];
}

function collisionWarnings(view: View): string[] {
  const keys = new Map<string, Set<string>>();
  for (const { series } of view.latest(0).samples) {
    const key = series?.labels.metric_key;
    if (!series || key === undefined) continue;
    const names = keys.get(series.name) ?? new Set();
    keys.set(series.name, names.add(key));
  }
  return [...keys].map(
    ([name, names]) => `several keys fall on the name ${name}: ${[...names].join(", ")} carry the label metric_key`,
  );
}

function pushWarnings(previews: readonly SinkPreview[], sinks: readonly ActiveSink[]): string[] {
  const pushing = new Set(
    sinks.filter(({ traits }) => traits.consumes === "latest" && !traits.pulled).map(({ id }) => id),
  );
  return previews
    .filter(({ id, series }) => series > manySeries && pushing.has(id))
    .map(
      ({ id, series }) =>
        `${id} would hold ${series} series: above ${manySeries} let Prometheus scrape /metrics instead`,
    );
}
