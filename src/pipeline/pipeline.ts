import type { Hono } from "hono";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { messageOf } from "../delivery/plugin-error.ts";
import type { Send } from "../delivery/send.ts";
import type { Journal } from "../journal/journal.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import type { View } from "../view/view.ts";
import { activateTransforms } from "./active-transforms.ts";
import { dropGone, placeNew } from "./consumers.ts";
import { drainOnAbort, giveUpWithoutProgress } from "./drain.ts";
import { createIntake } from "./intake.ts";
import type { ActiveSource } from "./read-source.ts";
import { isLatest, type SinkAtWork, sinkAtWork } from "./sink-at-work.ts";
import { sourceAtWork } from "./source-at-work.ts";
import { keepView, openView, viewOptions } from "./view-keeper.ts";
import { within } from "./within.ts";

/** Everything at work: made by `openPipeline`, started once by `run`. */
export interface Pipeline {
  readonly sources: readonly ActiveSource[];
  readonly sinks: readonly ActiveSink[];
  readonly view: View;
  /** Adds the routes of the sinks to the status server. */
  serve(app: Hono): void;
  /**
   * Reads and delivers until the signal fires or, with `once`, until all there is has been delivered. After the signal
   * every sink may deliver what is waiting for `drainMs` (10 s by default); one that is failing ends at once.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Writes the view's snapshot and closes sinks in reverse order; once, after `run` has ended. */
  close(): Promise<void>;
}

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
  readonly onProgress?: (source: string, progress: Progress) => void;
}

/** How long a sink may take to close, and the last snapshot to be written. */
const closeMs = 5000;

/** Makes every part of a configuration and brings the view to where the journal ends. */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config, journal, log, now, send, once, ownMetrics, drainMs = 10_000, onProgress = () => {} } = options;
  const reading = new AbortController();
  const inputEnded = new AbortController();
  const view = await openView(journal, viewOptions(config), log);
  const context = { log, signal: reading.signal, now };
  const intake = createIntake(journal, view, activateTransforms(config, journal, context), log);
  const keeper = keepView(view, journal, intake, now);
  const sinkWorld = { journal, view, log, now, send, once, ownMetrics, inputEnded: inputEnded.signal };
  const sourceWorld = { ...context, journal, intake, once, makeRoom: keeper.save, onProgress };
  const sources = config.sources.map((entry) => sourceAtWork(entry, sourceWorld));
  const made = config.sinks.map((resolved) => sinkAtWork(resolved, sinkWorld));
  const sinks = made.filter(({ sink }) => !(once && sink.traits.pulled));
  if (made.length > 0 && sinks.length === 0) {
    log.warn("Nothing is delivered: every sink is scraped, which needs `mlmon run`", { sinks: made.length });
  }
  await dropGone(journal, config.sinks, log);
  await placeNew(journal, config.sinks);
  for (const sink of sinks) await sink.setup();

  async function readAll(): Promise<void> {
    const consumes = sinks.some(({ sink }) => !isLatest(sink)) ? "points" : "latest";
    if (!once) {
      await Promise.all(sources.map((source) => source.read(consumes)));
      return;
    }
    // One after the other, so that the same stores give the same bytes as in a preview.
    for (const source of sources) await source.read(consumes);
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (const sink of sinks) sink.start();
    const drain = drainOnAbort(signal, () => sinks, drainMs);
    const abortReading = () => reading.abort();
    signal.addEventListener("abort", abortReading, { once: true });
    if (signal.aborted) abortReading();
    // A journal kept full by a sink that was given up would hold the source for ever.
    const onGivenUp = () => journal.size().full && abortReading();
    const { giveUpMs } = options;
    const watch = giveUpMs === undefined ? () => {} : giveUpWithoutProgress(sinks, { giveUpMs, now, onGivenUp });
    try {
      const inTime = await Promise.race([readAll().then(() => true), drain.over.then(() => false)]);
      if (!inTime) log.warn("A source does not end and is left", { drainMs });
      if (once && reading.signal.aborted) stopLatest();
    } catch (error) {
      stopLatest();
      throw error;
    } finally {
      inputEnded.abort();
      await Promise.all(sinks.map((sink) => sink.ended()));
      drain.end();
      watch();
      signal.removeEventListener("abort", abortReading);
    }
  }

  /** A view of half a store would take the place of whole groups. */
  function stopLatest(): void {
    for (const { stop } of sinks.filter(({ sink }) => isLatest(sink))) stop.abort();
  }

  async function close(): Promise<void> {
    keeper.stop();
    if (!(await within(closeMs, keeper.save())))
      log.warn("The snapshot of the latest values cannot be written in time");
    for (const sink of sinks.toReversed()) await closeSink(sink, log);
  }

  function serve(app: Hono): void {
    for (const sink of sinks) {
      const routes = sink.routes();
      if (routes) app.route("/", routes);
    }
  }

  return {
    sources: sources.map(({ active }) => active),
    sinks: sinks.map(({ sink }) => sink),
    view,
    serve,
    run,
    close,
  };
}

/** One that fails or hangs at its end keeps no other from its own. */
async function closeSink(sink: SinkAtWork, log: Log): Promise<void> {
  const { id } = sink.resolved;
  try {
    if (!(await within(closeMs, sink.close()))) log.warn("A sink does not close and is left", { sink: id });
  } catch (error) {
    log.error("A sink has failed to close", { sink: id, reason: messageOf(error) });
  }
}
