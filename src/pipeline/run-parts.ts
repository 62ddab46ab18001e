import type { ActiveSink } from "../delivery/active-sink.ts";
import { holdsUpReading } from "../delivery/holds-up-reading.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Log } from "../model/log.ts";
import { consumes, type Parts } from "./apply.ts";
import { drainOnAbort, giveUpWithoutProgress } from "./drain.ts";
import { fired } from "./fired.ts";
import type { Renewal } from "./renew-view.ts";
import { isLatest } from "./sink-at-work.ts";

/** What a pipeline is run with. */
export interface RunOptions {
  readonly journal: Journal;
  readonly log: Log;
  /** Ends when everything there is has been read and delivered. */
  readonly once: boolean;
  /** How long sinks may deliver what waits once the signal has fired, ms. */
  readonly drainMs: number;
  /** Ends sinks that make no progress for this long, ms; none by default. */
  readonly giveUpMs?: number | undefined;
  /** Fired when no more is to be read. */
  readonly reading: AbortController;
  /** Fired when no more will be appended. */
  readonly inputEnded: AbortController;
  /** The parts at work; a reload exchanges them. */
  readonly parts: () => Parts;
  readonly renewal: Renewal;
  /** Resolves when no reload is under way; never rejects. */
  readonly settled: () => Promise<void>;
}

/** Makes what runs a pipeline, once: sources and sinks side by side until the signal fires, or all is delivered. */
export function runParts(options: RunOptions): (signal: AbortSignal) => Promise<void> {
  const { journal, log, once, drainMs, giveUpMs, reading, inputEnded, parts, renewal, settled } = options;
  const abortReading = () => reading.abort();

  async function readAll(): Promise<void> {
    const wants = consumes(parts().sinks);
    if (once) {
      // One after the other, so that the same stores give the same bytes as in a preview.
      for (const source of parts().sources) await source.read(wants);
      await renewal.once();
      return;
    }
    for (const source of parts().sources) void source.read(wants);
    renewal.start();
    await fired(reading.signal);
    await settled();
    await Promise.all([...parts().sources.map((source) => source.ended()), renewal.ended()]);
  }

  /** A view of half a store would take the place of whole groups. */
  function stopLatest(): void {
    for (const { stop } of parts().sinks.filter(({ sink }) => isLatest(sink))) stop.abort();
  }

  return async function run(signal) {
    const { sinks } = parts();
    for (const sink of sinks) sink.start();
    const drain = drainOnAbort(signal, () => parts().sinks, drainMs);
    signal.addEventListener("abort", abortReading, { once: true });
    if (signal.aborted) abortReading();
    // A journal kept full by a sink that was given up would hold the source for ever.
    const onGivenUp = ({ id }: ActiveSink) => holdsUpReading(journal, sinkOwner(id)) && abortReading();
    const watch = giveUpMs === undefined ? () => {} : giveUpWithoutProgress(sinks, { giveUpMs, onGivenUp });
    // Once every sink has ended, nobody is left to read for.
    if (once && sinks.length > 0) void Promise.all(sinks.map((sink) => sink.ended())).then(abortReading);
    try {
      const inTime = await Promise.race([readAll().then(() => true), drain.over.then(() => false)]);
      if (!inTime) log.warn("A source does not end and is left", { drainMs });
      if (once && reading.signal.aborted) stopLatest();
    } catch (error) {
      stopLatest();
      throw error;
    } finally {
      inputEnded.abort();
      await Promise.all(parts().sinks.map((sink) => sink.ended()));
      drain.end();
      watch();
      signal.removeEventListener("abort", abortReading);
    }
  };
}
