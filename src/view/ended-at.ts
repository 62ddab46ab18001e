import type { Run } from "../model/run.ts";

/**
 * Says from when `series.retention` counts for a run that has ended: its end by the client's clock, or the time at
 * which it was read where that is missing or cannot be true (before MLflow existed, before the start, in the future).
 */
export function endedAt(run: Run, readAt: number): number {
  const { endTime, startTime } = run;
  if (endTime === undefined || !(endTime >= mlflowBirth) || endTime > readAt || endTime < startTime) return readAt;
  return endTime;
}

/** Says whether a status is one that a run ends with. */
export function hasEnded({ status }: Run): boolean {
  return status === "finished" || status === "failed" || status === "killed";
}

const mlflowBirth = Date.UTC(2018, 5, 5);
