import type { StoredBatch } from "./stored-batch.ts";

/** A batch and where it begins. */
export interface StoredRow {
  readonly position: number;
  readonly batch: StoredBatch;
}

const most = { rows: 8, bytes: 8 * 1024 ** 2 };

/** What the last slices were cut from: a batch of 10 000 samples is opened once, not for each slice of 100. */
export function createCache() {
  const rows: StoredRow[] = [];
  return {
    holding(position: number): StoredRow | undefined {
      const index = rows.findIndex((row) => row.position <= position && position <= row.position + row.batch.samples);
      const row = rows[index];
      if (row && index > 0) {
        rows.splice(index, 1);
        rows.unshift(row);
      }
      return row;
    },
    fill: () => ({ count: rows.length, max: most.rows }),
    add(row: StoredRow): void {
      rows.unshift(row);
      const bytes = () => rows.reduce((sum, { batch }) => sum + batch.bytes, 0);
      while (rows.length > most.rows || (rows.length > 1 && bytes() > most.bytes)) rows.pop();
    },
  };
}
