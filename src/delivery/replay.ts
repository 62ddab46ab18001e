import type { KeptLetter } from "../journal/dead-queue.ts";
import type { Journal, Slice, SliceLimit } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Sample } from "../model/sample.ts";

/** Dead letters that are to be delivered again, as one slice, and their ids for the commit. */
export interface Replay {
  readonly slice: Slice;
  readonly replayed: readonly number[];
}

/**
 * Cuts the next replay of a sink: dead letters in the order in which they died, to the limits but never less than one;
 * nothing when none is replayed. Its `next` is where the sink stands, as a replay moves no position. Called by the
 * worker before each slice.
 */
export function nextReplay(journal: Journal, sink: string, limit: SliceLimit): Replay | undefined {
  const letters: KeptLetter[] = [];
  let samples = 0;
  let bytes = 0;
  for (const letter of journal.dead.replays(sink)) {
    samples += letter.batch.samples.length;
    bytes += letter.batch.samples.reduce((sum, sample) => sum + costOf(sample), 0);
    if (letters.length > 0 && (samples > limit.samples || bytes > limit.bytes)) break;
    letters.push(letter);
  }
  if (letters.length === 0) return undefined;
  const batches = letters.map(({ batch }) => batch);
  const count = batches.reduce((sum, batch) => sum + batch.samples.length, 0);
  return {
    slice: { batches, samples: count, next: journal.position(sinkOwner(sink)) },
    replayed: letters.map(({ id }) => id),
  };
}

/** As `SliceLimit` estimates it. */
function costOf({ name, labels = {} }: Sample): number {
  return Object.entries(labels).reduce((sum, [key, value]) => sum + key.length + value.length, 100 + name.length);
}
