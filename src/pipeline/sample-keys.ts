import type { Journal } from "../journal/journal.ts";
import type { Sample } from "../model/sample.ts";

/** Tells samples apart as MLflow's tables do: by run, key, value, time and step. */
export function sampleKey({ run, name, value, time, step }: Sample): string {
  return JSON.stringify([run?.id, name, String(value), time, step]);
}

/** The keys of all samples between two positions; some hundred bytes each. */
export async function keysBetween(journal: Journal, from: number, to: number): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  let position = from;
  while (position < to) {
    const samples = Math.min(10_000, Math.max(1, to - position));
    const slice = await journal.slice(position, { samples, bytes: 8 * 1024 ** 2 });
    for (const batch of slice.batches) for (const sample of batch.samples) keys.add(sampleKey(sample));
    if (slice.next === position) break;
    position = slice.next;
  }
  return keys;
}
