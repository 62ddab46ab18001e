import type { Batch } from "../model/batch.ts";
import type { BatchRows } from "./batch-rows.ts";
import type { Slice, SliceLimit } from "./journal.ts";

/**
 * Cuts what stands from a position on, to the limits. What comes with a batch's end goes with its last sample; batches
 * of nothing else cost bytes, so that a slice of them is bounded too. From before the oldest batch it starts there.
 */
export function cutSlice(rows: BatchRows, from: number, limit: SliceLimit): Slice {
  const batches: Batch[] = [];
  let samples = 0;
  let bytes = 0;
  let next = Math.max(from, rows.start());
  const end = Math.min(limit.before ?? rows.end(), rows.end());
  while (next < end) {
    if (batches.length > 0 && (samples >= limit.samples || bytes >= limit.bytes)) break;
    const { position, batch } = rows.at(next);
    const first = next - position;
    const left = { samples: Math.min(limit.samples - samples, end - next), bytes: limit.bytes - bytes };
    const { to, cost } = batch.fit(first, left, samples === 0 ? 1 : 0);
    const whole = to === batch.samples;
    if (to === first && !whole) break;
    batches.push(batch.cut(first, to));
    samples += to - first;
    bytes += cost + (whole ? batch.tailCost : 0);
    next = whole ? position + batch.samples + 1 : position + to;
    if (!whole) break;
  }
  return { batches, samples, next };
}
