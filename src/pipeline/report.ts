import type { ResolvedConfig } from "../config/resolved.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { auditLedger } from "../journal/audit.ts";
import type { Journal, LedgerRow } from "../journal/journal.ts";
import type { SinkReport, Status } from "../server/status.ts";
import { countEntries } from "./count-entries.ts";
import type { Pipeline } from "./pipeline.ts";
import { notReady } from "./ready.ts";
import { sinkOwner } from "./sink-at-work.ts";

export interface Reported {
  readonly config: ResolvedConfig;
  readonly reload: Status["reload"];
  readonly journal: Journal;
  readonly pipeline: Pipeline;
  readonly version: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly now: () => number;
}

/** Gathers how everything is doing; called for each scrape, page and readiness request. */
export function report({ config, reload, journal, pipeline, version, startedAt, now }: Reported): Status {
  const time = now();
  const ledger = journal.ledger();
  const sources = pipeline.sources.map((source) => source.report);
  const sinks = pipeline.sinks.map((sink) => sinkReport(sink, journal, ledger, time));
  return {
    version,
    startedAt,
    now: time,
    config: config.origin,
    reload,
    notReady: notReady({ sources, sinks, startedAt, now: time }),
    sources,
    sinks,
    journal: journal.size(),
    view: pipeline.view.counts(),
    entries: countEntries(journal, pipeline),
    ledger,
    ledgerMismatches: auditLedger(journal),
  };
}

/** Adds up one kind of counter, over every reason. */
export function total(ledger: readonly LedgerRow[], name: LedgerRow["name"], id?: string): number {
  return ledger.reduce(
    (sum, row) => sum + (row.name === name && (id === undefined || row.id === id) ? row.count : 0),
    0,
  );
}

function sinkReport(sink: ActiveSink, journal: Journal, ledger: readonly LedgerRow[], now: number): SinkReport {
  const { id, type, traits, status } = sink;
  const { samples, oldest } = journal.waiting(journal.position(sinkOwner(id)));
  const own = ledger.filter((row) => row.scope === "sink" && row.id === id);
  const dead = own.filter(({ name }) => name === "dead").map(({ reason, count }) => [reason, count] as const);
  return {
    id,
    type,
    consumes: traits.consumes ?? "points",
    ...status,
    waiting: samples,
    lagSeconds: oldest === undefined ? 0 : Math.max(0, now - oldest) / 1000,
    delivered: total(own, "delivered"),
    deadLetters: Object.fromEntries(dead),
  };
}
