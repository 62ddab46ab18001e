import type { Inspection } from "../model/inspection.ts";
import { plural } from "../model/plural.ts";
import { type Found, inspectMlflow, inWords } from "./inspect.ts";
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
    ["would read", found && shown(found)],
    ["one search takes", latencyMs === undefined ? undefined : `${Math.round(latencyMs)} ms`],
    ["clock", skew(report.clockSkewMs)],
  ];
  return {
    facts: known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
    problems: report.problems,
    ...(found?.runs === 0 && { next: "mlmon generate-sample, as there is no run yet" }),
  };
}

function shown({ experiments, runs, series, isAll }: Found): string {
  const more = isAll ? "" : "more than ";
  return `${plural(experiments, "experiment")}, ${more}${plural(runs, "run")}, ${more}${series} series`;
}

/** Whatever stands there instead of MLflow may answer with a page. */
function versionOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\d[\w.+-]{0,40}$/.test(text) ? text : undefined;
}

function skew(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined;
  return Math.abs(ms) < 2000 ? "differs by less than 2 s" : `${inWords(ms)} this machine's`;
}
