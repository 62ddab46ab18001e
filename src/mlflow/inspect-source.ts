import type { Inspection } from "../model/inspection.ts";
import { inspectMlflow } from "./inspect.ts";
import type { MlflowOptions } from "./options.ts";

/** Puts what was found out about a server into the words of `mlmon doctor`. */
export async function inspectSource(options: MlflowOptions, signal: AbortSignal): Promise<Inspection> {
  const report = await inspectMlflow(options, signal);
  const reached = report.latencyMs !== undefined;
  const known: (readonly [string, string | undefined])[] = [
    ["server", report.server],
    ["version", versionOf(report.version)],
    ["store", report.store],
    ["workspaces", report.workspaces.join(", ") || undefined],
    [
      "would read",
      reached ? `${report.experiments} experiments, ${report.runs} runs, ${report.series} series` : undefined,
    ],
    ["one search takes", reached ? `${Math.round(report.latencyMs ?? 0)} ms` : undefined],
    ["clock differs by", skew(report.clockSkewMs)],
  ];
  return {
    facts: known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    problems: report.problems.map((problem) => ({ ...problem, fatal: !reached })),
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
