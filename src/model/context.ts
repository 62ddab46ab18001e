import type { Log } from "./log.ts";
import type { State } from "./state.ts";

/** What the host lends to a transform or a sink. */
export interface Context {
  /** The only memory to rely on: committed with the batch. */
  readonly state: State;
  readonly log: Log;
  /** Fires when mlmon stops: whatever waits must end at once. */
  readonly signal: AbortSignal;
  /** Unix ms. */
  now(): number;
}

/** What the host lends to a source. */
export interface SourceContext extends Context {
  /** True for `export-once` and `dry-run`: read all there is, then return. */
  readonly once: boolean;
  /** `"latest"` when no sink wants points: then no history need be read. */
  readonly consumes: "points" | "latest";
  /** Reports how far a long read is, for people: `progress({ done: 30, total: 1000, unit: "runs" })`. */
  progress(report: Progress): void;
  /** Reports the end of every poll, good or bad: readiness, the status page and logs live on it. */
  polled(poll: Poll): void;
}

/**
 * How a poll ended, and after how many ms the next one is due. `behind` says that what is new was read, but not yet all
 * that there was before.
 */
export type Poll =
  | { readonly ok: true; readonly nextMs: number; readonly behind?: boolean }
  | { readonly ok: false; readonly reason: string; readonly nextMs: number };

/** How far a long read is: `done` of `total`, counted in `unit` (`"runs"`). */
export interface Progress {
  readonly done: number;
  /** Absent while nobody knows; equal to `done` at the end. */
  readonly total?: number;
  readonly unit: string;
}
