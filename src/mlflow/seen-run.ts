import type { Experiment, Run, RunStatus } from "../model/run.ts";
import type { RunAnswer } from "./answers.ts";
import { type Point, readPoint } from "./points.ts";

/** A run as one answer of `runs/search` shows it. */
export interface SeenRun {
  readonly run: Run;
  readonly deleted: boolean;
  /** The latest point of every metric, keys sorted. */
  readonly latest: readonly (readonly [key: string, point: Point])[];
}

/** Reads an answer; an experiment that is not in the list goes by its id. */
export function readRun(
  answer: RunAnswer,
  experiments: ReadonlyMap<string, Experiment>,
  systemMetrics: boolean,
): SeenRun {
  const { info, data } = answer;
  const tags = record(data.tags ?? []);
  const id = info.experiment_id;
  const latest: [string, Point][] = [];
  for (const row of data.metrics ?? []) {
    const point = readPoint(row);
    if (point && (systemMetrics || !row.key.startsWith("system/"))) latest.push([row.key, point]);
  }
  latest.sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    run: {
      id: info.run_id,
      name: info.run_name || tags["mlflow.runName"] || "",
      experiment: experiments.get(id) ?? { id, name: id },
      status: statusOf(info.status),
      startTime: info.start_time,
      ...(info.end_time !== undefined && { endTime: info.end_time }),
      user: info.user_id || tags["mlflow.user"] || "",
      stage: tags["mlflow.model.stage"] || "None",
      tags,
      params: record(data.params ?? []),
    },
    deleted: info.lifecycle_stage === "deleted",
    latest,
  };
}

/** Whether a run of this status has ended. */
export function isTerminal(status: RunStatus): boolean {
  return status !== "running" && status !== "scheduled";
}

/** The one order of runs everywhere: by start, then id. */
export function byStart(a: Run, b: Run): number {
  return a.startTime - b.startTime || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** A hash of all that labels and info series are made of: changed when a status, a name or a tag is. */
export function factsOf(run: Run): string {
  const text = JSON.stringify(run);
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 2654435761);
    high = Math.imul(high ^ code, 1597334677);
  }
  return `${(low >>> 0).toString(36)}${(high >>> 0).toString(36)}`;
}

function record(pairs: readonly { readonly key: string; readonly value: string }[]): Readonly<Record<string, string>> {
  const sorted = [...pairs].sort((a, b) => (a.key < b.key ? -1 : 1));
  return Object.fromEntries(sorted.map(({ key, value }) => [key, value]));
}

function statusOf(status: string): RunStatus {
  switch (status) {
    case "SCHEDULED":
      return "scheduled";
    case "FINISHED":
      return "finished";
    case "FAILED":
      return "failed";
    case "KILLED":
      return "killed";
    default:
      return "running";
  }
}
