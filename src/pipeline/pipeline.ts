import type { Hono } from "hono";
import type { ResolvedConfig } from "../config/resolved.ts";
import { activateSink } from "../delivery/activate.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { runLatestWorker } from "../delivery/latest-worker.ts";
import { runPointsWorker } from "../delivery/points-worker.ts";
import type { Send } from "../delivery/send.ts";
import { skippedRow } from "../journal/audit.ts";
import type { Journal } from "../journal/journal.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import type { SinkContext } from "../model/sink.ts";
import type { View } from "../view/view.ts";
import { activateTransforms } from "./active-transforms.ts";
import { drainOnAbort, giveUpWithoutProgress } from "./drain.ts";
import { createIntake, sourceOwner } from "./intake.ts";
import { type ActiveSource, activeSource, readSource } from "./read-source.ts";
import { supervise } from "./supervise.ts";
import { keepView, openView, viewOptions } from "./view-keeper.ts";

/** Everything at work: made by `openPipeline`, started once by `run`. */
export interface Pipeline {
  readonly sources: readonly ActiveSource[];
  readonly sinks: readonly ActiveSink[];
  readonly view: View;
  /** Adds the routes of the sinks to the status server, before it listens. */
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

/** Makes every part of a configuration and brings the view to where the journal ends. */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config, journal, log, now } = options;
  const reading = new AbortController();
  const view = await openView(journal, viewOptions(config), log);
  const context = { log, signal: reading.signal, now };
  const intake = createIntake(journal, view, activateTransforms(config, journal, context));
  const keeper = keepView(view, journal, intake, now);
  const sources = config.sources.map(activeSource);
  const sinks = config.sinks.map((sink) => activateSink(sink, { send: options.send, now }));
  await settleConsumers(journal, sinks, log);

  const delivery = sinks.map((sink) => {
    const stop = new AbortController();
    const ctx: SinkContext = {
      log,
      now,
      signal: stop.signal,
      state: journal.state(sinkOwner(sink.id)),
      ownMetrics: options.ownMetrics,
    };
    return { sink, stop, ctx };
  });
  for (const { sink, ctx } of delivery) await sink.traits.setup?.(ctx);

  async function readAll(): Promise<void> {
    const consumes = sinks.some((sink) => !isLatest(sink)) ? "points" : "latest";
    const readOne = (source: ActiveSource) =>
      readSource(source, {
        journal,
        intake,
        makeRoom: keeper.save,
        context: { ...context, state: journal.state(sourceOwner(source.entry.id)), once: options.once, consumes },
        onProgress: options.onProgress ?? (() => {}),
      });
    if (!options.once) {
      await Promise.all(sources.map(readOne));
      return;
    }
    // One after the other, so that the same stores give the same bytes as in a preview.
    for (const source of sources) await readOne(source);
  }

  async function run(signal: AbortSignal): Promise<void> {
    const inputEnded = new AbortController();
    const common = { journal, inputEnded: inputEnded.signal, log };
    const workers = delivery.map(({ sink, stop: { signal }, ctx }) => {
      const own = { ...common, sink, ctx, signal, once: options.once };
      const work = () => (isLatest(sink) ? runLatestWorker({ ...own, view }) : runPointsWorker(own));
      return supervise(sink, work, { signal, log });
    });
    const abortReading = () => reading.abort();
    signal.addEventListener("abort", abortReading, { once: true });
    if (signal.aborted) abortReading();
    const watches = [drainOnAbort(signal, delivery, options.drainMs ?? 10_000)];
    if (options.giveUpMs !== undefined) {
      // A journal kept full by a sink that was given up would hold the source for ever.
      const onGivenUp = () => journal.size().full && reading.abort();
      watches.push(giveUpWithoutProgress(delivery, { giveUpMs: options.giveUpMs, now, onGivenUp }));
    }
    try {
      await readAll();
      if (options.once && reading.signal.aborted) stopLatest();
    } catch (error) {
      stopLatest();
      throw error;
    } finally {
      inputEnded.abort();
      await Promise.all(workers);
      for (const end of watches) end();
      signal.removeEventListener("abort", abortReading);
    }
  }

  /** A view of half a store would take the place of whole groups. */
  function stopLatest(): void {
    for (const { stop } of delivery.filter(({ sink }) => isLatest(sink))) stop.abort();
  }

  async function close(): Promise<void> {
    keeper.stop();
    await keeper.save();
    for (const { sink } of delivery.toReversed()) await sink.traits.close?.();
  }

  function serve(app: Hono): void {
    for (const sink of sinks) sink.traits.serve?.(app);
  }

  return { sources, sinks, view, serve, run, close };
}

function isLatest({ traits }: ActiveSink): boolean {
  return traits.consumes === "latest";
}

/** Names a sink's position and state in the journal. */
export function sinkOwner(id: string): string {
  return `sink/${id}`;
}

/** Gives each sink a position, so that nothing it is to have is trimmed, and drops those of sinks that are gone. */
async function settleConsumers(journal: Journal, sinks: readonly ActiveSink[], log: Log): Promise<void> {
  const wanted = new Set(sinks.map(({ id }) => sinkOwner(id)));
  for (const consumer of journal.consumers()) {
    if (!consumer.startsWith("sink/") || wanted.has(consumer)) continue;
    const { samples } = journal.waiting(journal.position(consumer));
    log.warn("A sink is no longer configured: what was waiting for it is dropped", {
      sink: consumer.slice(5),
      samples,
    });
    await journal.forget(consumer);
  }
  const known = new Set(journal.consumers());
  for (const { id } of sinks) {
    const position = journal.position(sinkOwner(id));
    const skipped = skippedRow(journal, id, position);
    const isNew = !known.has(sinkOwner(id)) && skipped.count !== 0;
    await journal.commit(sinkOwner(id), position, isNew ? { ledger: [skipped] } : {});
  }
}
