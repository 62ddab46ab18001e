import type { ResolvedConfig, ResolvedSink } from "../config/resolved.ts";
import { UsageError, WorkError } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";
import { matchesPattern } from "../model/pattern.ts";
import type { Sample } from "../model/sample.ts";
import { type ExportOptions, type ExportResult, exportOnce } from "./export-once.ts";

/** An export to one sink, of a range. */
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
  /** The name of an experiment, or a pattern such as `vision-*`. */
  readonly experiment?: string | undefined;
}

/** What is to be read for one sink alone. */
export interface BackfillPlan {
  /** The configuration with this sink alone, and of the samples only those in the range. */
  readonly config: ResolvedConfig;
  /** Called when all was read: throws `WorkError` with the nearest name when there is no such experiment. */
  refuseUnknown(): void;
}

/**
 * Delivers MLflow's history to one sink once more, whether it had some of it or not: in order per series, through the
 * same delivery as ever. It keeps nothing and touches no state folder, so that it works beside a running mlmon. Throws
 * `UsageError` for a sink of latest values and `WorkError` when a source cannot be read or has no such experiment.
 */
export async function backfill({ config, sink, range, ...options }: BackfillOptions): Promise<ExportResult> {
  const plan = planBackfill(config, sink, range);
  const result = await exportOnce({ config: plan.config, stateDir: undefined, ...options });
  if (options.signal.aborted || result.sinks.some(({ waiting }) => waiting > 0)) return result;
  plan.refuseUnknown();
  const { experiment } = range;
  const isIdle = result.sinks.every(({ delivered, deadLetters }) => delivered + deadLetters === 0);
  if (isIdle && experiment !== undefined) {
    options.log.warn("Nothing of this experiment is in the range", { experiment });
  }
  return result;
}

/** Throws `UsageError` for a sink of latest values. */
export function planBackfill(config: ResolvedConfig, sink: ResolvedSink, range: Range): BackfillPlan {
  if (sink.create().sink.consumes === "latest") {
    throw new UsageError(`Cannot backfill the sink "${sink.id}": it holds latest values, which need no history`);
  }
  const { experiment } = range;
  const { match, startFrom: _begun, ...host } = sink.host;
  /** Whether each experiment that was met is wanted. */
  const met = new Map<string, boolean>();
  function isWanted(name: string): boolean {
    const wanted = met.get(name) ?? matchesPattern(name, experiment ?? "*");
    met.set(name, wanted);
    return wanted;
  }
  function only(sample: Sample): boolean {
    const { time, run } = sample;
    const wanted = run ? isWanted(run.experiment.name) : experiment === undefined;
    return wanted && isWithin(time, range) && (match?.(sample) ?? true);
  }
  return {
    config: { ...config, sinks: [{ ...sink, host: { ...host, match: only } }] },
    refuseUnknown() {
      if (experiment === undefined || [...met.values()].includes(true)) return;
      throw new WorkError(`Cannot backfill the experiment "${experiment}": ${mend(experiment, [...met.keys()])}`);
    },
  };
}

function isWithin(time: number, { since, until }: Range): boolean {
  return (since === undefined || time >= since) && (until === undefined || time < until);
}

/** No more names than one can read. */
const maxNames = 10;

function mend(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  if (near !== undefined) return `there are no samples of it; did you mean "${near}"?`;
  const shown = names.slice(0, maxNames).map((known) => `"${known}"`);
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : "";
  return `there are no samples of it${shown.length > 0 ? `, but of ${shown.join(", ")}${more}` : ""}`;
}
