import type { OwnSeries } from "./own-series.ts";
import type { Status } from "./status.ts";

/** How sources, sinks, the journal and the view are doing. */
export const partSeries: readonly OwnSeries[] = [
  {
    name: "mlmon_source_up",
    kind: "gauge",
    help: "Whether the last poll of the source succeeded",
    labels: ["source"],
    values: ({ sources }) =>
      sources.map(({ id, state }) => [{ source: id }, state === "ok" || state === "full" ? 1 : 0]),
  },
  {
    name: "mlmon_source_last_success_timestamp_seconds",
    kind: "gauge",
    help: "Time of the last good poll",
    labels: ["source"],
    values: ({ sources }) => sources.flatMap(({ id, lastSuccess }) => timestamp({ source: id }, lastSuccess)),
  },
  {
    name: "mlmon_sink_requests_total",
    kind: "counter",
    help: "Requests of the sink by outcome",
    labels: ["sink", "outcome"],
    values: ({ sinks }) =>
      sinks.flatMap(({ id, requests }) =>
        Object.entries(requests).map(([outcome, count]) => [{ sink: id, outcome }, count] as const),
      ),
  },
  {
    name: "mlmon_sink_request_seconds_total",
    kind: "counter",
    help: "How long the requests of the sink have taken together",
    labels: ["sink"],
    values: ({ sinks }) => sinks.map(({ id, requestMs }) => [{ sink: id }, requestMs / 1000]),
  },
  {
    name: "mlmon_sink_waiting_samples",
    kind: "gauge",
    help: "Samples in the journal that the sink has not delivered",
    labels: ["sink"],
    values: ({ sinks }) => sinks.map(({ id, waiting }) => [{ sink: id }, waiting]),
  },
  {
    name: "mlmon_sink_lag_seconds",
    kind: "gauge",
    help: "Age of the oldest sample that waits for the sink",
    labels: ["sink"],
    values: ({ sinks }) => sinks.map(({ id, lagSeconds }) => [{ sink: id }, lagSeconds]),
  },
  {
    name: "mlmon_sink_dead_letters",
    kind: "gauge",
    help: "Samples that are kept as dead letters of the sink",
    labels: ["sink"],
    values: ({ sinks }) =>
      sinks.map(({ id, deadLetters }) => [
        { sink: id },
        Object.values(deadLetters).reduce((sum, count) => sum + count, 0),
      ]),
  },
  {
    name: "mlmon_sink_last_success_timestamp_seconds",
    kind: "gauge",
    help: "Time of the last delivered request",
    labels: ["sink"],
    values: ({ sinks }) => sinks.flatMap(({ id, lastSuccess }) => timestamp({ sink: id }, lastSuccess)),
  },
  journal("bytes", "Size of the batches in the journal", ({ bytes }) => bytes),
  journal("max_bytes", "Size at which reading pauses; +Inf when it has no bound", ({ maxBytes }) => maxBytes),
  journal("fill_ratio", "How near the journal is to its nearest bound; full beyond 1", ({ fill }) => fill),
  journal("age_seconds", "Time between the oldest and the newest batch", ({ ageMs }) => ageMs / 1000),
  journal("max_age_seconds", "Age at which reading pauses; +Inf when it has no bound", (now) => now.maxAgeMs / 1000),
  journal("disk_free_bytes", "Room on its disk; +Inf when it does not tell", ({ freeBytes }) => freeBytes),
  {
    name: "mlmon_series",
    kind: "gauge",
    help: "Live series",
    values: ({ view }) => [[{}, view.series]],
  },
  {
    name: "mlmon_series_max",
    kind: "gauge",
    help: "Live series at most",
    values: ({ view }) => [[{}, view.max]],
  },
  {
    name: "mlmon_series_refused_total",
    kind: "counter",
    help: "Samples of series that the cap has refused",
    labels: ["key"],
    values: ({ view }) => [...view.refused].map(([key, count]) => [{ key }, count]),
  },
  {
    name: "mlmon_entries",
    kind: "gauge",
    help: "What the part holds of something, in memory or in the journal",
    labels: ["part", "of"],
    values: ({ entries }) => entries.map(({ part, of, count }) => [{ part, of }, count]),
  },
  {
    name: "mlmon_entries_max",
    kind: "gauge",
    help: "The most that the part may hold of it",
    labels: ["part", "of"],
    values: ({ entries }) => entries.flatMap(({ part, of, max }) => (max === undefined ? [] : [[{ part, of }, max]])),
  },
];

function journal(unit: string, help: string, read: (journal: Status["journal"]) => number): OwnSeries {
  return { name: `mlmon_journal_${unit}`, kind: "gauge", help, values: (status) => [[{}, read(status.journal)]] };
}

/** Nothing before the first success. */
function timestamp(labels: Readonly<Record<string, string>>, ms: number | undefined) {
  return ms === undefined ? [] : [[labels, ms / 1000] as const];
}
