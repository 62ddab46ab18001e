import type { Run } from "./run.ts";
import type { Sample } from "./sample.ts";

/** What passes through mlmon in one piece: from a source to the journal, and from there to the sinks. */
export interface Batch {
  /** Unix ms at which the source read it. */
  readonly time: number;
  /** Measured values, in order per series. */
  readonly samples: readonly Sample[];
  /** Runs that have ended or were deleted: their series get no more samples. */
  readonly ended: readonly EndedRun[];
  /** Runs that are new or of which a fact (status, name, tag) has changed. Sinks of points do not see them. */
  readonly runs?: readonly Run[];
  /**
   * Latest values that sinks of points do not see: those of runs that are back after they were deleted or had ended,
   * which such sinks have had already, and those that a transform gives beside `samples`, as `thin` does. Not counted.
   */
  readonly restored?: readonly Sample[];
  /**
   * Server-wide gauges such as counts: `{ name: "experiments", value: 3 }`. The facts of one name replace all earlier
   * facts of that name from the same source; a lone NaN without labels says that there are none any more. Only sinks of
   * latest values see them.
   */
  readonly facts?: readonly Sample[];
  /** The id of the source; set by the host. */
  readonly source?: string;
  /** The group this batch holds, for a sink with `groupBy`; no samples then means that the group has emptied. */
  readonly group?: string;
}

/** A run that has ended; a `deleted` one loses its series at once, others after `series.retention`. */
export interface EndedRun extends Run {
  readonly deleted?: boolean;
}
