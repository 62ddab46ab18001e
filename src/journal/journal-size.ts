/** How full a journal is, and what of. */
export interface JournalSize {
  /** Of the batches that are kept. */
  readonly bytes: number;
  /** Beyond it the journal is full; Infinity without a bound. */
  readonly maxBytes: number;
  /** Between the reading of the oldest batch and that of the newest, ms. */
  readonly ageMs: number;
  /** Beyond it the journal is full; Infinity without a bound. */
  readonly maxAgeMs: number;
  /** Free on its disk, with the room in its own file that is used again; Infinity where that is not known. */
  readonly freeBytes: number;
  /** Below so much free room the journal is full, before SQLite fails. */
  readonly reserveBytes: number;
  /** How near the nearest of these bounds is: 0 is empty, from 1 on it is full. */
  readonly fill: number;
  /** Then reading pauses until sinks have caught up. */
  readonly full: boolean;
  /** The bound that is nearest. */
  readonly bound: "bytes" | "age" | "disk";
}

/** What is measured, and its bounds. */
export type Measured = Omit<JournalSize, "fill" | "full" | "bound">;

/** Compares what was measured with its bounds. */
export function judgeSize(measured: Measured): JournalSize {
  const { bytes, maxBytes, ageMs, maxAgeMs, freeBytes, reserveBytes } = measured;
  const fills = [
    { bound: "bytes", fill: share(bytes, maxBytes) },
    { bound: "age", fill: share(ageMs, maxAgeMs) },
    { bound: "disk", fill: share(reserveBytes, freeBytes) },
  ] as const;
  const nearest = fills.reduce((most, next) => (next.fill > most.fill ? next : most));
  return { ...measured, ...nearest, full: nearest.fill > 1 };
}

/** A bound of 0 is reached by anything. */
function share(value: number, bound: number): number {
  if (value <= 0 || bound === Number.POSITIVE_INFINITY) return 0;
  return bound <= 0 ? Number.POSITIVE_INFINITY : value / bound;
}
