import process from "node:process";
import { Counter, Gauge, Registry } from "prom-client";
import type { LedgerRow } from "../journal/journal.ts";
import { runtime } from "../runtime/runtime.ts";
import type { Status } from "./status.ts";

/** mlmon's own series, `mlmon_…`. */
export interface OwnMetrics {
  /** Text exposition 0.0.4, gathered at the moment of the call. */
  text(): Promise<string>;
}

type Labels = Readonly<Record<string, string>>;

/** Makes the series out of the status, with a registry of their own; called once a process. */
export function createOwnMetrics(status: () => Status): OwnMetrics {
  const registers = [new Registry()];
  const [registry] = registers;

  /** Both kinds are filled anew at each scrape: the figures live elsewhere. */
  function counter(name: string, help: string, labelNames: string[]) {
    const metric = new Counter({ name, help, labelNames, registers });
    return { reset: () => metric.reset(), set: (labels: Labels, value: number) => metric.inc(labels, value) };
  }
  function gauge(name: string, help: string, labelNames: string[] = []) {
    const metric = new Gauge({ name, help, labelNames, registers });
    return { reset: () => metric.reset(), set: (labels: Labels, value: number) => metric.set(labels, value) };
  }

  const read = counter("mlmon_samples_read_total", "Samples read from the source", ["source"]);
  const nonFinite = counter("mlmon_samples_nonfinite_total", "Samples read that are NaN or infinite", ["source"]);
  const filtered = counter("mlmon_samples_filtered_total", "Samples dropped by the transform", ["transform"]);
  const delivered = counter("mlmon_samples_delivered_total", "Samples that the sink has delivered", ["sink"]);
  const unmatched = counter("mlmon_samples_unmatched_total", "Samples that the sink is not to have", ["sink"]);
  const refused = counter("mlmon_samples_refused_total", "Samples that the sink cannot carry", ["sink", "reason"]);
  const superseded = counter(
    "mlmon_samples_superseded_total",
    "Samples that left a full journal before the sink of latest values had delivered newer ones",
    ["sink"],
  );
  const skipped = counter("mlmon_samples_skipped_total", "Samples that were gone before the sink came", ["sink"]);
  const dead = counter("mlmon_dead_letters_total", "Samples that the receiver has refused for good", [
    "sink",
    "reason",
  ]);
  const replayed = counter("mlmon_dead_letters_replayed_total", "Dead letters sent back to delivery", [
    "sink",
    "reason",
  ]);
  const dropped = counter("mlmon_samples_dropped_total", "Samples that a full journal has cost the sink", [
    "sink",
    "reason",
  ]);
  const requests = counter("mlmon_sink_requests_total", "Requests of the sink by outcome", ["sink", "outcome"]);
  const waiting = gauge("mlmon_sink_waiting_samples", "Samples in the journal that the sink has not delivered", [
    "sink",
  ]);
  const lag = gauge("mlmon_sink_lag_seconds", "Age of the oldest sample that waits for the sink", ["sink"]);
  const sinkSuccess = gauge("mlmon_sink_last_success_timestamp_seconds", "Time of the last delivered request", [
    "sink",
  ]);
  const up = gauge("mlmon_source_up", "Whether the last poll of the source succeeded", ["source"]);
  const sourceSuccess = gauge("mlmon_source_last_success_timestamp_seconds", "Time of the last good poll", ["source"]);
  const journalBytes = gauge("mlmon_journal_bytes", "Size of the batches in the journal");
  const journalFill = gauge("mlmon_journal_fill_ratio", "How near the journal is to its nearest bound; full beyond 1");
  const journalAge = gauge("mlmon_journal_age_seconds", "Time between the oldest and the newest batch in the journal");
  const journalMaxAge = gauge(
    "mlmon_journal_max_age_seconds",
    "Age at which reading pauses; +Inf when it has no bound",
  );
  const diskFree = gauge("mlmon_journal_disk_free_bytes", "Room on the journal's disk; +Inf when it does not tell");
  const journalMax = gauge("mlmon_journal_max_bytes", "Size at which reading pauses; +Inf when it has no bound");
  const mismatches = gauge("mlmon_ledger_mismatches", "Sums of the ledger that do not add up; a bug unless 0");
  const series = gauge("mlmon_series", "Live series");
  const seriesMax = gauge("mlmon_series_max", "Live series at most");
  const seriesRefused = counter("mlmon_series_refused_total", "Samples of series that the cap has refused", ["key"]);
  const entries = gauge("mlmon_entries", "What the part holds of something, in memory or in the journal", [
    "part",
    "of",
  ]);
  const entriesMax = gauge("mlmon_entries_max", "The most that the part may hold of it", ["part", "of"]);
  const reloaded = gauge("mlmon_config_last_reload_successful", "Whether the last load of the configuration succeeded");
  const reloadTime = gauge(
    "mlmon_config_last_reload_success_timestamp_seconds",
    "Time at which the configuration at work was loaded",
  );
  const build = gauge("mlmon_build_info", "Version and runtime; always 1", ["version", "runtime"]);
  const start = gauge("process_start_time_seconds", "Start time of the process");
  const memory = gauge("process_resident_memory_bytes", "Resident memory of the process");
  const cpu = counter("process_cpu_seconds_total", "User and system CPU time of the process", []);
  const ledger = [
    read,
    nonFinite,
    filtered,
    delivered,
    unmatched,
    refused,
    superseded,
    skipped,
    dead,
    replayed,
    dropped,
    mismatches,
  ];
  const parts = [requests, waiting, lag, sinkSuccess, up];
  const rest = [
    sourceSuccess,
    journalBytes,
    journalMax,
    journalFill,
    journalAge,
    journalMaxAge,
    diskFree,
    series,
    seriesMax,
    seriesRefused,
    entries,
    entriesMax,
    reloaded,
    reloadTime,
    build,
    start,
    memory,
    cpu,
  ];

  function countLedger({ name, id, reason, count }: LedgerRow): void {
    if (name === "read") read.set({ source: id }, count);
    if (name === "nonfinite") nonFinite.set({ source: id }, count);
    if (name === "filtered") filtered.set({ transform: id }, Math.max(0, count));
    if (name === "delivered") delivered.set({ sink: id }, count);
    if (name === "unmatched") unmatched.set({ sink: id }, count);
    if (name === "refused") refused.set({ sink: id, reason }, count);
    if (name === "superseded") superseded.set({ sink: id }, count);
    if (name === "skipped") skipped.set({ sink: id }, Math.max(0, count));
    if (name === "dead") dead.set({ sink: id, reason }, count);
    if (name === "replayed") replayed.set({ sink: id, reason }, count);
    if (name === "dropped") dropped.set({ sink: id, reason }, count);
  }

  function fill(now: Status): void {
    // A counter begins at 0, or rate() would miss its first increase.
    for (const source of now.sources) {
      read.set({ source: source.id }, 0);
      nonFinite.set({ source: source.id }, 0);
      up.set({ source: source.id }, source.state === "ok" || source.state === "full" ? 1 : 0);
      if (source.lastSuccess !== undefined) sourceSuccess.set({ source: source.id }, source.lastSuccess / 1000);
    }
    for (const sink of now.sinks) {
      delivered.set({ sink: sink.id }, 0);
      unmatched.set({ sink: sink.id }, 0);
      waiting.set({ sink: sink.id }, sink.waiting);
      lag.set({ sink: sink.id }, sink.lagSeconds);
      if (sink.lastSuccess !== undefined) sinkSuccess.set({ sink: sink.id }, sink.lastSuccess / 1000);
      for (const [outcome, count] of Object.entries(sink.requests)) requests.set({ sink: sink.id, outcome }, count);
    }
    for (const row of now.ledger) countLedger(row);
    mismatches.set({}, now.ledgerMismatches.length);
    journalBytes.set({}, now.journal.bytes);
    journalMax.set({}, now.journal.maxBytes);
    journalFill.set({}, now.journal.fill);
    journalAge.set({}, now.journal.ageMs / 1000);
    journalMaxAge.set({}, now.journal.maxAgeMs / 1000);
    diskFree.set({}, now.journal.freeBytes);
    series.set({}, now.view.series);
    seriesMax.set({}, now.view.max);
    for (const [key, count] of now.view.refused) seriesRefused.set({ key }, count);
    for (const { part, of, count, max } of now.entries) {
      entries.set({ part, of }, count);
      if (max !== undefined) entriesMax.set({ part, of }, max);
    }
    reloaded.set({}, now.reload.successful ? 1 : 0);
    reloadTime.set({}, now.reload.lastSuccess / 1000);
    build.set({ version: now.version, runtime }, 1);
    start.set({}, now.startedAt / 1000);
    memory.set({}, process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    cpu.set({}, (user + system) / 1e6);
  }

  return {
    async text() {
      for (const metric of [...ledger, ...parts, ...rest]) metric.reset();
      fill(status());
      return registry?.metrics() ?? "";
    },
  };
}
