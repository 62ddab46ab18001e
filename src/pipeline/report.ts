import type { ResolvedConfig } from "../config/resolved.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { auditLedger } from "../journal/audit.ts";
import type { DeadCount } from "../journal/dead-queue.ts";
import type { Journal, LedgerRow } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { StateFolder } from "../journal/state-folder.ts";
import type { SinkReport, SourceReport, Status } from "../server/status.ts";
import { countEntries } from "./count-entries.ts";
import { folderWarning } from "./folder-warning.ts";
import { journalWarning } from "./journal-warning.ts";
import type { Pipeline } from "./pipeline.ts";
import { notReady } from "./ready.ts";

/** The parts that a status is gathered from. */
export interface Reported {
  readonly config: ResolvedConfig;
  readonly reload: Status["reload"];
  /** Absent when the journal is kept in memory. */
  readonly folder: StateFolder | undefined;
  readonly journal: Journal;
  readonly pipeline: Pipeline;
  readonly version: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly now: () => number;
}

/** Gathers how everything is doing; called for each scrape, page and readiness request. */
export function report({ config, reload, folder, journal, pipeline, version, startedAt, now }: Reported): Status {
  const time = now();
  const ledger = journal.ledger();
  const sources = pipeline.sources.map(({ report }) => ({
    ...report,
    experiments: pipeline.view.fact(report.id, "experiments"),
    runs: pipeline.view.fact(report.id, "runs"),
  }));
  const dead = Object.groupBy(journal.dead.counts({}), ({ sink }) => sink);
  const sinks = pipeline.sinks.map((sink) => sinkReport(sink, journal, { ledger, dead: dead[sink.id] ?? [] }, time));
  const size = journal.size();
  return {
    version,
    startedAt,
    now: time,
    config: config.origin,
    reload,
    ...remarks({ sources, sinks, folder }),
    brief: remarks({
      sources: sources.map(withoutWords),
      sinks: sinks.map(withoutWords),
      folder: folder && { isThere: folder.isThere },
    }),
    sources,
    sinks,
    journal: size,
    view: pipeline.view.counts(),
    entries: countEntries(journal, pipeline),
    ledger,
    ledgerMismatches: auditLedger(journal),
  };

  function remarks(parts: Parts): Status["brief"] {
    const warnings = [parts.folder && folderWarning(parts.folder), journalWarning(size, parts.sinks)];
    return {
      notReady: notReady({ ...parts, startedAt, now: time }),
      warnings: warnings.filter((warning) => warning !== undefined),
    };
  }
}

/** Adds up one kind of counter, over every reason. */
export function total(ledger: readonly LedgerRow[], name: LedgerRow["name"], id?: string): number {
  return ledger.reduce(
    (sum, row) => sum + (row.name === name && (id === undefined || row.id === id) ? row.count : 0),
    0,
  );
}

interface Parts {
  readonly sources: readonly SourceReport[];
  readonly sinks: readonly SinkReport[];
  readonly folder: Parameters<typeof folderWarning>[0] | undefined;
}

function withoutWords<Part extends SourceReport | SinkReport>(part: Part): Part {
  return { ...part, lastError: undefined };
}

interface Counted {
  readonly ledger: readonly LedgerRow[];
  readonly dead: readonly DeadCount[];
}

function sinkReport(sink: ActiveSink, journal: Journal, { ledger, dead }: Counted, now: number): SinkReport {
  const { id, type, traits, status } = sink;
  const stored = journal.waiting(journal.position(sinkOwner(id)));
  const replaying = journal.dead.replaying(id);
  const own = ledger.filter((row) => row.scope === "sink" && row.id === id);
  return {
    id,
    type,
    consumes: traits.consumes ?? "points",
    pulled: traits.pulled === true,
    ...status,
    waiting: stored.samples + replaying.samples,
    lagSeconds: Math.max(0, now - Math.min(stored.oldest ?? now, replaying.oldest ?? now)) / 1000,
    delivered: total(own, "delivered"),
    dropped: total(own, "dropped"),
    deadLetters: Object.fromEntries(dead.map(({ reason, samples }) => [reason, samples])),
  };
}
