import type { ResolvedConfig } from "../config/resolved.ts";
import type { Send } from "../delivery/send.ts";
import type { Journal } from "../journal/journal.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";

/** What a pipeline is made of. */
export interface PipelineOptions {
  readonly config: ResolvedConfig;
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
