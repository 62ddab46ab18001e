import type { Batch } from "../model/batch.ts";
import type { Experiment, Run } from "../model/run.ts";

/** What a stored batch holds beside its columns, as JSON; runs, names and labels are named by their index. */
export interface BatchHeader {
  readonly time: number;
  readonly source?: string;
  readonly group?: string;
  readonly experiments: readonly Experiment[];
  readonly runs: readonly RunRow[];
  readonly names: readonly string[];
  readonly labels: readonly Readonly<Record<string, string>>[];
  /** `deleted` is null where the batch did not say. */
  readonly ended: readonly (readonly [run: number, deleted: boolean | null])[];
  /** Runs of `Batch.runs`; null where the batch had none. */
  readonly changed: readonly number[] | null;
  /** How many of the last samples in the columns are the batch's facts; null where the batch had none. */
  readonly facts: number | null;
  /** How many of the samples before the facts are the latest values of restored runs; null where there were none. */
  readonly restored: number | null;
}

/** A run as it is stored with a batch. */
export type RunRow = readonly [
  id: string,
  name: string,
  experiment: number,
  status: Run["status"],
  startTime: number,
  endTime: number | null,
  user: string,
  stage: string,
  tags: Run["tags"],
  params: Run["params"],
];

/** The parts of a batch that come with its end. */
export type BatchTail = Pick<Batch, "ended" | "runs" | "restored" | "facts">;

/** Makes the run of a row; called once per run and decoded batch, so that all its samples share the object. */
export function readRun(row: RunRow, experiments: readonly Experiment[]): Run {
  const [id, name, experimentIndex, status, startTime, endTime, user, stage, tags, params] = row;
  const experiment = at(experiments, experimentIndex);
  const run = { id, name, experiment, status, startTime, user, stage, tags, params };
  return endTime === null ? run : { ...run, endTime };
}

/** Returns an element that must be there; throws when a stored index points nowhere. */
export function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`an index points nowhere: ${index} of ${items.length}`);
  return item;
}
