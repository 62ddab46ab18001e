import { setImmediate } from "node:timers/promises";
import type { Journal } from "../journal/journal.ts";
import type { Sample } from "../model/sample.ts";

/** Tells samples apart as MLflow's tables do: by run, key, value, time and step; and by labels, which transforms add. */
export function sampleKey({ run, name, value, time, step, labels }: Sample): string {
  return JSON.stringify([run?.id, name, String(value), time, step, labels]);
}

/** What two journals hold both, up to a position of the first. */
export interface Common {
  readonly keys: ReadonlySet<string>;
  readonly to: number;
}

/** Samples looked at together, some 200 bytes each in memory. */
const mostSamples = 200_000;

/** Finds what stands in a journal from a position on, some of it at a time, and in another one, which is read whole. */
export async function commonKeys(journal: Journal, from: number, other: Journal): Promise<Common> {
  const wanted = new Set<string>();
  let to = from;
  const end = journal.end();
  for await (const { samples, next } of samplesOf(journal, from, end)) {
    for (const sample of samples) wanted.add(sampleKey(sample));
    to = next;
    if (wanted.size >= mostSamples) break;
  }
  const keys = new Set<string>();
  for await (const { samples } of samplesOf(other, 0, other.end())) {
    for (const key of samples.map(sampleKey)) if (wanted.has(key)) keys.add(key);
  }
  return { keys, to };
}

async function* samplesOf(journal: Journal, from: number, before: number) {
  for (let position = from; position < before; ) {
    const slice = await journal.slice(position, { samples: 10_000, bytes: 8 * 1024 ** 2, before });
    if (slice.next === position) return;
    position = slice.next;
    yield { samples: slice.batches.flatMap(({ samples }) => samples), next: position };
    // A long look must not stop everything else.
    await setImmediate();
  }
}
