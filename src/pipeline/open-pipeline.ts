import type { Differences } from "../config/compare.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { createDropOrders } from "../delivery/drop-orders.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import { WorkError } from "../model/errors.ts";
import { messageOf } from "../model/message-of.ts";
import { activateTransforms } from "./active-transforms.ts";
import { applyConfig, type Parts } from "./apply.ts";
import { caughtByReading } from "./caught-by-reading.ts";
import { closeMs, closeSink } from "./close-sink.ts";
import { dropGone, placeNew, releaseUnserved } from "./consumers.ts";
import { fired } from "./fired.ts";
import { removeOldHistories } from "./history-files.ts";
import { createIntake } from "./intake.ts";
import type { Pipeline, PipelineOptions } from "./pipeline.ts";
import { type Coded, createRenewal } from "./renew-view.ts";
import { runParts } from "./run-parts.ts";
import { isLatest, makesRoom, sinkAtWork } from "./sink-at-work.ts";
import { sourceAtWork } from "./source-at-work.ts";
import { keepView, openView, viewConsumer, viewOptions } from "./view-keeper.ts";

/** Makes every part of a configuration and brings the view to where the journal ends. */
export async function openPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config, journal, log, now, send, once, ownMetrics, stateDir } = options;
  const { drainMs = 10_000, giveUpMs, onProgress = () => {} } = options;
  const reading = new AbortController();
  const inputEnded = new AbortController();
  const view = await openView(journal, viewOptions(config));
  const context = { log, signal: reading.signal, now };
  const intake = createIntake(journal, view, activateTransforms(config, journal, context), log);
  const keeper = keepView(view, journal, intake, now);
  const yields = (consumer: string) =>
    consumer === viewConsumer || parts.sinks.some(({ sink }) => sinkOwner(sink.id) === consumer && makesRoom(sink));
  const dropOrders = createDropOrders();
  let current: Coded = { config, code: options.code ?? "" };
  const catchUp = stateDir !== undefined && {
    journal,
    folder: stateDir,
    config: () => current.config,
    yields,
    caughtByReading: (signal: AbortSignal) =>
      once
        ? fired(AbortSignal.any([signal, inputEnded.signal]))
        : caughtByReading(() => parts.sources.map(({ active }) => active), signal),
  };
  const sinkWorld = {
    catchUp: catchUp || undefined,
    journal,
    view,
    log,
    now,
    send,
    once,
    ownMetrics,
    inputEnded: inputEnded.signal,
    yields,
    dropOrders,
  };
  const sourceWorld = { ...context, journal, intake, once, makeRoom: keeper.makeRoom, onProgress };
  const makeSource = (entry: ResolvedConfig["sources"][number]) => sourceAtWork(entry, sourceWorld);
  const makeSink = (resolved: ResolvedConfig["sinks"][number]) => sinkAtWork(resolved, sinkWorld);
  const made = config.sinks.map(makeSink);
  const wanted = made.filter(({ sink }) => !(once && sink.traits.pulled));
  let parts: Parts = { sources: config.sources.map(makeSource), sinks: wanted };
  let applying: Promise<void> = Promise.resolve();
  const atWork = { current: () => current, sinks: () => parts.sinks };
  const renewal = createRenewal({ ...context, ...atWork, journal, view, intake, keeper, stateDir });
  await renewal.note(current);
  if (made.length > 0 && wanted.length === 0) {
    log.warn("Nothing is delivered: every sink is scraped, which needs `mlmon run`", { sinks: made.length });
  }
  await dropGone(journal, config.sinks, log);
  await releaseUnserved(
    journal,
    made.filter((sink) => !wanted.includes(sink)).map(({ sink }) => sink),
  );
  const places = wanted.map(({ placed }) => placed);
  await placeNew(journal, places, now);
  await tidy();
  for (const sink of wanted) await sink.setup();

  const settled = () => applying;
  const run = runParts({
    journal,
    log,
    once,
    drainMs,
    giveUpMs,
    reading,
    inputEnded,
    parts: () => parts,
    renewal,
    settled,
  });

  function apply(next: ResolvedConfig, differences: Differences): Promise<void> {
    if (reading.signal.aborted) {
      return Promise.reject(new WorkError("Cannot change the configuration: mlmon is stopping"));
    }
    const before = current;
    renewal.stop();
    // A new sink reads again what the next configuration selects.
    current = { config: next, code: differences.code };
    const applied = applyConfig(parts, next, differences, {
      journal,
      view,
      intake,
      log,
      now,
      leaveMs: drainMs,
      saveView: () => keeper.saveWithin(closeMs, log),
      makeSource,
      makeSink,
      makeTransforms: (config) => activateTransforms(config, journal, context),
      noteTransforms: () => renewal.note(current, true),
      use(changed) {
        parts = changed;
        dropOrders.keep(changed.sinks.map(({ sink }) => sink.id));
      },
    })
      .then(tidy, (error) => {
        current = before;
        throw error;
      })
      .finally(renewal.start);
    applying = applied.catch(() => undefined);
    return applied;
  }

  async function tidy(): Promise<void> {
    if (catchUp)
      await removeOldHistories(catchUp).catch((error) => log.warn("Old histories stay", { reason: messageOf(error) }));
  }

  function dropWaiting(id: string, position: number): boolean {
    if (!parts.sinks.some(({ sink }) => sink.id === id && !isLatest(sink))) return false;
    dropOrders.give(id, position);
    return true;
  }

  async function close(): Promise<void> {
    keeper.stop();
    await keeper.saveWithin(closeMs, log);
    for (const sink of parts.sinks.toReversed()) await closeSink(sink, log);
  }

  return {
    get sources() {
      return parts.sources.map(({ active }) => active);
    },
    get sinks() {
      return parts.sinks.map(({ sink }) => sink);
    },
    get routes() {
      return parts.sinks.flatMap((sink) => sink.routes() ?? []);
    },
    view,
    run,
    apply,
    dropWaiting,
    close,
  };
}
