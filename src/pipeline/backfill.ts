import type { ResolvedConfig, ResolvedSink } from "../config/resolved.ts";
import { UsageError } from "../model/errors.ts";
import type { Sample } from "../model/sample.ts";
import { type ExportOptions, type ExportResult, exportOnce } from "./export-once.ts";

export interface BackfillOptions extends Omit<ExportOptions, "stateDir"> {
  /** The sink of the configuration that gets it. */
  readonly sink: ResolvedSink;
  readonly range: Range;
}

/** What of MLflow's history is read again; all of it by default. */
export interface Range {
  /** Unix ms at which samples were logged: at this or later, and before the other. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** The name of an experiment. */
  readonly experiment?: string | undefined;
}

/**
 * Delivers MLflow's history to one sink once more, whether it had some of it or not: in order per series, through the
 * same delivery as ever. It keeps nothing and touches no state folder, so that it works beside a running mlmon. Throws
 * `UsageError` for a sink of latest values and `WorkError` when a source cannot be read.
 */
export async function backfill({ config, sink, range, ...options }: BackfillOptions): Promise<ExportResult> {
  const only = backfillConfig(config, sink, range);
  const result = await exportOnce({ config: only, stateDir: undefined, ...options });
  const { experiment } = range;
  const isIdle = result.sinks.every(({ delivered, deadLetters, waiting }) => delivered + deadLetters + waiting === 0);
  if (isIdle && experiment !== undefined) {
    options.log.warn("Nothing of this experiment is in the range, or its name is another", { experiment });
  }
  return result;
}

/** The configuration with this sink alone, and of the samples only those in the range. Throws like `backfill`. */
export function backfillConfig(config: ResolvedConfig, sink: ResolvedSink, range: Range): ResolvedConfig {
  if (sink.create().sink.consumes === "latest") {
    throw new UsageError(`Cannot backfill the sink "${sink.id}": it holds latest values, which need no history`);
  }
  const { match, startFrom: _begun, ...host } = sink.host;
  const only = (sample: Sample) => isWithin(sample, range) && (match?.(sample) ?? true);
  return { ...config, sinks: [{ ...sink, host: { ...host, match: only } }] };
}

function isWithin({ time, run }: Sample, { since, until, experiment }: Range): boolean {
  if (since !== undefined && time < since) return false;
  if (until !== undefined && time >= until) return false;
  return experiment === undefined || run?.experiment.name === experiment;
}
