import type { DeadFilter, KeptLetter } from "../journal/dead-queue.ts";
import type { Journal } from "../journal/journal.ts";
import type { Sample } from "../model/sample.ts";
import { placedSinks } from "./sinks.ts";

/** One sample of a queue. */
export interface QueuedSample {
  readonly sink: string;
  readonly sample: Sample;
  /** Why the receiver has refused it, with its words; absent for one that waits. */
  readonly reason?: string;
  /** Unix ms at which it was refused. */
  readonly died?: number;
}

const page = 256;
const limit = { samples: 10_000, bytes: 8 * 1024 ** 2 };

/** Reads what waits for a sink, as it will be delivered: first what is replayed, then what was not delivered yet. */
export async function* waitingSamples(journal: Journal, sink: string): AsyncGenerator<QueuedSample> {
  for (const { batch } of journal.dead.replays(sink)) for (const sample of batch.samples) yield { sink, sample };
  if (!placedSinks(journal).includes(sink)) return;
  let position = journal.position(`sink/${sink}`);
  for (;;) {
    const { batches, next } = await journal.slice(position, limit);
    for (const { samples } of batches) for (const sample of samples) yield { sink, sample };
    if (next === position) return;
    position = next;
  }
}

/** Reads dead letters in the order in which they died. */
export function* deadSamples(journal: Journal, filter: DeadFilter): Generator<QueuedSample> {
  let after = 0;
  for (;;) {
    const letters = journal.dead.page(filter, after, page);
    for (const { sink, time, reason, batch } of letters) {
      for (const sample of batch.samples) yield { sink, sample, reason, died: time };
    }
    if (letters.length === 0) return;
    after = lastId(letters);
  }
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

function lastId(letters: readonly KeptLetter[]): number {
  return letters.at(-1)?.id ?? 0;
}
