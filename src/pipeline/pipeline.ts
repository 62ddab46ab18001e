import type { Hono } from "hono";
import type { Differences } from "../config/compare.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import type { Send } from "../delivery/send.ts";
import type { Journal } from "../journal/journal.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import type { View } from "../view/view.ts";
import type { ActiveSource } from "./read-source.ts";

/** Everything at work: made by `openPipeline`, started once by `run`. */
export interface Pipeline {
  readonly sources: readonly ActiveSource[];
  readonly sinks: readonly ActiveSink[];
  readonly view: View;
  /** What the sinks serve on the status server, one app a sink. */
  readonly routes: readonly Hono[];
  /**
   * Reads and delivers until the signal fires or, with `once`, until all there is has been delivered. After the signal
   * every sink may deliver what is waiting for `drainMs` (10 s by default); one that is failing ends at once.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Takes another configuration while it runs, and touches only what differs. Throws `ConfigError` when it cannot be
   * used and `WorkError` while it stops; then everything is as it was. One call at a time.
   */
  apply(config: ResolvedConfig, differences: Differences): Promise<void>;
  /**
   * Lets the worker of a sink drop what waits for it before a position, as soon as it lets go of what is under way; false
   * for a sink of latest values.
   */
  dropWaiting(sink: string, position: number): boolean;
  /** Writes the view's snapshot and closes sinks in reverse order; once, after `run` has ended. */
  close(): Promise<void>;
}

/** What a pipeline is made of. */
export interface PipelineOptions {
  readonly config: ResolvedConfig;
  /** Of the bytes of the files it was read from, none by default. */
  readonly code?: string | undefined;
  readonly journal: Journal;
  readonly log: Log;
  readonly send: Send;
  /** Read all there is, deliver it, end: `export-once`. */
  readonly once: boolean;
  /** mlmon's own series, for the scrape page. */
  readonly ownMetrics: () => Promise<string>;
  readonly now: () => number;
  readonly drainMs?: number;
  /** Ends a sink that is busy without progress for so long; never by default. */
  readonly giveUpMs?: number;
  /** Where a new sink's history is kept until it is delivered; a journal in memory needs none. */
  readonly stateDir?: string | undefined;
  readonly onProgress?: (source: string, progress: Progress) => void;
}
