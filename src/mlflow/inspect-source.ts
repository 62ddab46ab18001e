import type { Inspection } from "../model/inspection.ts";
import { inspectMlflow } from "./inspect.ts";
import type { MlflowOptions } from "./options.ts";

/** Puts what was found out about a server into the words of `mlmon doctor`. */
export async function inspectSource(options: MlflowOptions, signal: AbortSignal): Promise<Inspection> {
  const report = await inspectMlflow(options, signal);
  const { found, latencyMs } = report;
  const known: (readonly [string, string | undefined])[] = [
    ["server", report.server],
    ["version", versionOf(report.version)],
    ["store", report.store],
    ["workspaces", report.workspaces.join(", ") || undefined],
    ["would read", found && `${found.experiments} experiments, ${found.runs} runs, ${found.series} series`],
    ["one search takes", latencyMs === undefined ? undefined : `${Math.round(latencyMs)} ms`],
    ["clock differs by", skew(report.clockSkewMs)],
  ];
  return {
    facts: known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    problems: report.problems,
  };
}

/** Whatever stands there instead of MLflow may answer with a page. */
function versionOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\d[\w.+-]{0,40}$/.test(text) ? text : undefined;
}

/** A server tells its time in whole seconds. */
function skew(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  return Math.abs(ms) < 2000 ? "less than 2 s" : `${Math.round(ms / 1000)} s`;
}
