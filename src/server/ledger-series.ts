import type { LedgerRow } from "../journal/journal.ts";
import type { OwnSeries } from "./own-series.ts";
import type { Status } from "./status.ts";

/** What became of every sample: the counters of the ledger. */
export const ledgerSeries: readonly OwnSeries[] = [
  counter("mlmon_samples_read_total", "Samples read from the source", "read", ["source"]),
  counter("mlmon_samples_nonfinite_total", "Samples read that are NaN or infinite", "nonfinite", ["source"]),
  counter("mlmon_samples_rounded_total", "Samples read whose step or time is beyond 2⁵³ and rounded", "rounded", [
    "source",
  ]),
  counter("mlmon_samples_filtered_total", "Samples of the source dropped by the transform", "filtered", [
    "transform",
    "source",
  ]),
  counter("mlmon_samples_stored_total", "Samples of the source that every sink is to have", "stored", ["source"]),
  counter("mlmon_samples_delivered_total", "Samples that the sink has delivered", "delivered", ["sink"]),
  counter("mlmon_samples_unmatched_total", "Samples that the sink is not to have", "unmatched", ["sink"]),
  counter("mlmon_samples_refused_total", "Samples that the sink cannot carry", "refused", ["sink", "reason"]),
  counter(
    "mlmon_samples_superseded_total",
    "Samples passed over by a sink of latest values, which delivers newer ones",
    "superseded",
    ["sink", "reason"],
  ),
  counter("mlmon_samples_skipped_total", "Samples that were gone from the journal before the sink came", "skipped", [
    "sink",
  ]),
  counter("mlmon_samples_reread_total", "Samples that the sink, when it came, has got again", "reread", ["sink"]),
  counter(
    "mlmon_samples_dropped_total",
    "Samples dropped undelivered: by a full journal, with a removed sink, by hand",
    "dropped",
    ["sink", "reason"],
  ),
  counter("mlmon_dead_letters_total", "Samples that the receiver has refused for good", "dead", ["sink", "reason"]),
  counter("mlmon_dead_letters_replayed_total", "Dead letters sent back to delivery", "replayed", ["sink", "reason"]),
  counter("mlmon_dead_letters_evicted_total", "Dead letters let go for newer ones", "evicted", ["sink", "reason"]),
  {
    name: "mlmon_ledger_mismatches",
    kind: "gauge",
    help: "Sums of the ledger that do not add up; a bug unless 0",
    values: ({ ledgerMismatches }) => [[{}, ledgerMismatches.length]],
  },
];

function counter(
  name: OwnSeries["name"],
  help: string,
  row: LedgerRow["name"],
  labels: readonly ["source" | "transform" | "sink", ("reason" | "source")?],
): OwnSeries {
  const [part, reason] = labels;
  return {
    name,
    kind: "counter",
    help,
    labels: [part, ...(reason ? [reason] : [])],
    *values(status) {
      // A counter begins at 0, or rate() would miss its first increase; reasons are not known before.
      if (!reason) for (const id of ids(status, part)) yield [{ [part]: id }, 0];
      for (const { name, id, reason: why, count } of status.ledger) {
        // A transform that makes samples filters less than none.
        if (name === row) yield [{ [part]: id, ...(reason && { [reason]: why }) }, Math.max(0, count)];
      }
    },
  };
}

function ids({ sources, sinks }: Status, part: "source" | "transform" | "sink"): readonly string[] {
  if (part === "source") return sources.map(({ id }) => id);
  return part === "sink" ? sinks.map(({ id }) => id) : [];
}
