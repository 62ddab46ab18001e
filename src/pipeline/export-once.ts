import type { ResolvedConfig } from "../config/resolved.ts";
import { createSender } from "../delivery/send.ts";
import type { LedgerRow } from "../journal/journal.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import { openStateFolder } from "../journal/state-folder.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import { version } from "../runtime/version.ts";
import type { Status } from "../server/status.ts";
import { closingAll } from "./closing.ts";
import { openPipeline } from "./open-pipeline.ts";
import { report, total } from "./report.ts";
import { watchLedger } from "./watch-ledger.ts";

/** What an export reads, and how long it waits. */
export interface ExportOptions {
  readonly config: ResolvedConfig;
  /** Of the bytes of the files it was read from, by which functions are compared; none by default. */
  readonly code?: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Absent: nothing is kept, and everything selected is exported; else only what is new since the last export. */
  readonly stateDir: string | undefined;
  /** Gives a sink up that has made no progress for so long. */
  readonly giveUpMs: number;
  readonly now?: () => number;
  readonly onProgress?: (source: string, progress: Progress) => void;
}

/** What one export has done, in samples; the shape of `export-once --json`. */
export interface ExportResult {
  readonly read: number;
  /** Dropped by transforms. */
  readonly filtered: number;
  readonly sinks: readonly SinkResult[];
  readonly seconds: number;
}

/** What an export has done for one sink, in samples. */
export interface SinkResult {
  readonly id: string;
  readonly delivered: number;
  readonly deadLetters: number;
  /** What `match` left out, what the sink cannot carry, what left a full journal before it was delivered; unless 0. */
  readonly unmatched?: number;
  readonly refused?: number;
  readonly superseded?: number;
  readonly dropped?: number;
  /** Not delivered; kept for the next export when there is a state folder. */
  readonly waiting: number;
  /** Nobody can take anything any more, as when stdout is closed. */
  readonly gone?: boolean;
  /** The last failure of a sink for which something waits, or that it has not answered in time. */
  readonly error?: string;
}

/** A journal that is kept in memory makes the source wait for its sinks earlier. */
const memoryBytes = 64 * 1024 ** 2;

/** Reads all there is, delivers it, and says what became of it; throws `WorkError` when a source cannot be read. */
export async function exportOnce({ config, log, now = Date.now, ...options }: ExportOptions): Promise<ExportResult> {
  const startedAt = now();
  return closingAll(async (opened) => {
    const folder = options.stateDir === undefined ? undefined : await openStateFolder(options.stateDir);
    if (folder) opened.push(() => folder.close());
    if (folder?.warning) log.warn(folder.warning);
    const path = folder?.journalPath ?? ":memory:";
    const { maxBytes } = config.journal;
    const bounds = folder ? config.journal : { ...config.journal, maxBytes: Math.min(maxBytes, memoryBytes) };
    const journal = await openJournal({ path, ...bounds, now });
    opened.push(() => journal.close());
    const before = journal.ledger();
    const late = folder ? [] : config.sinks.filter(({ host }) => host.startFrom === "now").map(({ id }) => id);
    if (late.length > 0) {
      log.warn('A sink that starts from "now" gets only what is logged during this export, as no --state is given', {
        sinks: late.join(", "),
      });
    }
    const pipeline = await openPipeline({
      config,
      code: options.code,
      journal,
      log,
      now,
      once: true,
      stateDir: folder?.path,
      send: createSender({ version }),
      ownMetrics: async () => "",
      giveUpMs: options.giveUpMs,
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    opened.push(() => pipeline.close());
    opened.push(watchLedger(journal, log));
    await pipeline.run(options.signal);
    const reload = { successful: true, lastSuccess: startedAt, lastError: undefined };
    const status = report({ config, reload, folder, journal, pipeline, version, startedAt, now });
    const silent = options.signal.aborted ? undefined : `no answer within ${options.giveUpMs / 1000} s`;
    return result(status, before, { seconds: (now() - startedAt) / 1000, silent });
  });
}

/** `silent` is why a sink without a failure of its own was given up. */
function result(
  status: Status,
  before: readonly LedgerRow[],
  { seconds, silent }: { readonly seconds: number; readonly silent: string | undefined },
): ExportResult {
  const since = (name: LedgerRow["name"], id?: string) => total(status.ledger, name, id) - total(before, name, id);
  const sinks = status.sinks.map(({ id, waiting, lastError }): SinkResult => {
    const left = (["unmatched", "refused", "superseded", "dropped"] as const).map(
      (name) => [name, since(name, id)] as const,
    );
    const rest = Object.fromEntries(left.filter(([, count]) => count > 0));
    const counts = { id, delivered: since("delivered", id), deadLetters: since("dead", id), ...rest, waiting };
    const error = lastError?.reason ?? silent;
    if (waiting === 0 || error === undefined) return counts;
    return lastError?.gone ? { ...counts, gone: true, error } : { ...counts, error };
  });
  return { read: since("read"), filtered: since("filtered"), sinks, seconds };
}
