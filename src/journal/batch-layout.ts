/**
 * The bytes of a stored batch, all numbers little-endian:
 *
 *     u32 version · u32 crc32 of all that follows · u32 samples · u32 segments
 *     f64[samples] values · f64[samples] times · f64[samples] steps
 *     u32[segments] first sample · u32[segments] run + 1 · u32[segments] name · u32[segments] labels + 1
 *     header: JSON in UTF-8
 *
 * A segment is a stretch of samples of one series, 0 means none. The last samples are the values of restored runs, then the facts. Values
 * stand in columns and not in JSON, which has no NaN, no infinities and no -0.
 */
export const layout = {
  version: 1,
  prefixBytes: 16,
  versionAt: 0,
  crcAt: 4,
  bodyAt: 8,
  samplesAt: 8,
  segmentsAt: 12,
} as const;

/** Where the parts of a batch stand. */
export interface Offsets {
  readonly values: number;
  readonly times: number;
  readonly steps: number;
  readonly firsts: number;
  readonly runs: number;
  readonly names: number;
  readonly labels: number;
  readonly header: number;
}

/** Computes where the parts stand; the columns of f64 come first, so that every column is aligned. */
export function offsets(samples: number, segments: number): Offsets {
  const wide = samples * 8;
  const narrow = segments * 4;
  const segmentsStart = layout.prefixBytes + 3 * wide;
  return {
    values: layout.prefixBytes,
    times: layout.prefixBytes + wide,
    steps: layout.prefixBytes + 2 * wide,
    firsts: segmentsStart,
    runs: segmentsStart + narrow,
    names: segmentsStart + 2 * narrow,
    labels: segmentsStart + 3 * narrow,
    header: segmentsStart + 4 * narrow,
  };
}
