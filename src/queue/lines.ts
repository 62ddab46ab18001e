import type { DeadFilter, KeptLetter } from "../journal/dead-queue.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Sample } from "../model/sample.ts";
import { placedSinks } from "./sinks.ts";

/**
 * Does something with a journal: that of a stopped or a running mlmon as it stands then, which `FolderQueue` opens anew
 * for each piece of work.
 */
export type Reading = <T>(work: (journal: Journal) => Promise<T>) => Promise<T>;

/** One sample of a queue. */
export interface QueuedSample {
  readonly sink: string;
  readonly sample: Sample;
  /** Why the receiver has refused it, with its words; absent for one that waits. */
  readonly reason?: string;
  /** Unix ms at which it was refused. */
  readonly died?: number;
}

/** What is read at once; a letter, which is not cut, may be more. */
const limit = { samples: 10_000, bytes: 8 * 1024 ** 2 };

/**
 * Reads what waits for a sink, as it will be delivered: first what is replayed, then what was not delivered yet, up to
 * where the journal ended at the start. While its caller writes, the journal is not held: as long as one is read at some
 * moment, SQLite keeps what is written after that in a file that grows without end. What is delivered and trimmed
 * meanwhile is passed over.
 */
export async function* waitingSamples(reading: Reading, sink: string): AsyncGenerator<QueuedSample> {
  const standing = async (journal: Journal) =>
    placedSinks(journal).includes(sink) ? { from: journal.position(sinkOwner(sink)), end: journal.end() } : undefined;
  const place = await reading(standing);
  yield* pages(reading, async (journal, after) => lettersOf(journal.dead.replays(sink, after), false));
  if (place === undefined) return;
  let position = place.from;
  for (;;) {
    const { batches, next } = await reading((journal) => journal.slice(position, { ...limit, before: place.end }));
    for (const { samples } of batches) for (const sample of samples) yield { sink, sample };
    if (next <= position || next >= place.end) return;
    position = next;
  }
}

/** Reads dead letters in the order in which they died, in the same way. */
export function deadSamples(reading: Reading, filter: DeadFilter): AsyncGenerator<QueuedSample> {
  return pages(reading, async (journal, after) => lettersOf(lettersAfter(journal, filter, after), true));
}

/**
 * Writes one sample as a line of NDJSON, as the console sink writes it, with the sink and why it is dead; NaN and
 * ±Infinity are texts. `mlmon dry-run --input` reads such lines.
 */
export function queueLine({ sink, sample, reason, died }: QueuedSample): string {
  const { name, value, time, step, run, labels } = sample;
  // JSON has no NaN and no infinities, and JSON.stringify loses the sign of zero.
  const shown = Number.isFinite(value) ? value : String(value);
  const line = JSON.stringify({ sink, name, value: shown, time, step, run, labels, reason, died });
  return `${Object.is(value, -0) ? line.replace('"value":0,', '"value":-0,') : line}\n`;
}

interface Page {
  readonly samples: readonly QueuedSample[];
  /** The id of the last letter. */
  readonly last: number | undefined;
}

async function* pages(
  reading: Reading,
  read: (journal: Journal, after: number) => Promise<Page>,
): AsyncGenerator<QueuedSample> {
  let after = 0;
  for (;;) {
    const { samples, last } = await reading((journal) => read(journal, after));
    yield* samples;
    if (last === undefined) return;
    after = last;
  }
}

function* lettersAfter(journal: Journal, filter: DeadFilter, after: number): Generator<KeptLetter> {
  for (let last = after; ; ) {
    const [letter] = journal.dead.page(filter, last, 1);
    if (letter === undefined) return;
    yield letter;
    last = letter.id;
  }
}

function lettersOf(letters: Iterable<KeptLetter>, dead: boolean): Page {
  const samples: QueuedSample[] = [];
  let last: number | undefined;
  for (const { id, sink, time, reason, batch } of letters) {
    const why = dead ? { reason, died: time } : {};
    for (const sample of batch.samples) samples.push({ sink, sample, ...why });
    last = id;
    if (samples.length >= limit.samples) break;
  }
  return { samples, last };
}
