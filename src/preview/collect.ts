import type { ResolvedConfig } from "../config/resolved.ts";
import { activateSink } from "../delivery/activate.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import { render } from "../delivery/render.ts";
import { mergeSlice, type Selection, select } from "../delivery/select.ts";
import type { Journal } from "../journal/journal.ts";
import { openJournal } from "../journal/sqlite-journal.ts";
import type { Progress } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import { readAll } from "../pipeline/read-all.ts";
import type { View } from "../view/view.ts";
import { type LeftOut, openLeftOut } from "./left-out.ts";
import type { Preview, SinkPreview } from "./preview.ts";
import { openTally } from "./tally.ts";
import { warningsOf } from "./warnings.ts";

/** What a preview reads and how much of it is kept. */
export interface CollectOptions {
  readonly config: ResolvedConfig;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Only this sink. */
  readonly sink?: string | undefined;
  /** Requests kept for each sink; the counts hold all of them. */
  readonly limit: number;
  readonly now: () => number;
  /** When a sink that starts from "now" is taken to be first seen; the clock's time by default. */
  readonly firstSeen?: () => number;
  readonly onProgress?: (source: string, progress: Progress) => void;
}

/**
 * Reads the sources for real and renders what every sink would send, by the same journal, slices and `render` as an
 * export; contacts no sink. Throws `WorkError` when a source cannot be read.
 */
export async function collectPreview(options: CollectOptions): Promise<Preview> {
  const { config, now, firstSeen = now } = options;
  const journal = await openJournal({ path: ":memory:", maxBytes: Number.POSITIVE_INFINITY, now });
  try {
    const all = config.sinks.map((sink) => activateSink(sink, { send: contactNobody, now, firstSeen }));
    const sinks = all.filter(({ id }) => options.sink === undefined || id === options.sink);
    // One alone is shown what it gets beside the others.
    const consumes = all.some(({ traits }) => traits.consumes !== "latest") ? "points" : "latest";
    const view = await readAll({ ...options, journal, consumes });
    const previews: SinkPreview[] = [];
    const refused: string[] = [];
    for (const sink of sinks) {
      const left = openLeftOut(sink.id);
      previews.push(await previewSink(sink, { journal, view, options, left }));
      refused.push(...left.warnings());
    }
    const late = Number.isFinite(firstSeen()) ? startingNow(config, sinks) : [];
    return {
      sinks: previews,
      warnings: [...config.warnings, ...warningsOf(view, previews, sinks), ...refused, ...late],
    };
  } finally {
    await journal.close();
  }
}

/** An empty preview would look like a mistake. */
function startingNow(config: ResolvedConfig, shown: readonly ActiveSink[]): string[] {
  return config.sinks
    .filter(({ id, host }) => host.startFrom === "now" && shown.some((sink) => sink.id === id))
    .map(({ id }) => `${id} starts from "now": what was logged before is left out, as it is at its first start`);
}

async function contactNobody(): Promise<never> {
  throw new Error("a preview sends nothing");
}

interface Previewed {
  readonly journal: Journal;
  readonly view: View;
  readonly options: CollectOptions;
  readonly left: LeftOut;
}

async function previewSink(sink: ActiveSink, { journal, view, options, left }: Previewed): Promise<SinkPreview> {
  const tally = openTally(sink, options.limit);
  const selections = sink.traits.consumes === "latest" ? groupsOf(sink, view, options.now()) : slicesOf(sink, journal);
  for await (const selection of selections) {
    const { batch, failure } = selection;
    left.add(selection);
    if (failure !== undefined) tally.add(batch, `match or refuse threw: ${failure}`);
    if (batch.group === undefined || batch.samples.length > 0) tally.add(batch, render(sink, batch));
  }
  return tally.result();
}

async function* slicesOf(sink: ActiveSink, journal: Journal): AsyncGenerator<Selection> {
  let position = 0;
  for (;;) {
    const slice = await journal.slice(position, sink.batch);
    if (slice.next === position) return;
    position = slice.next;
    const merged = mergeSlice(slice);
    if (merged && (merged.samples.length > 0 || merged.ended.length > 0)) yield select(sink, merged);
  }
}

function* groupsOf(sink: ActiveSink, view: View, now: number): Generator<Selection> {
  const { groupBy } = sink.traits;
  for (const name of view.versions(groupBy).keys()) {
    const selection = select(sink, view.latest(now, groupBy && { name, groupBy }));
    yield { ...selection, batch: { ...selection.batch, group: name } };
  }
}
