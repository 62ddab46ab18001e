/** Counts what the cap has refused, by metric key; the number of keys is bounded. */
export interface Refused {
  readonly counts: ReadonlyMap<string, number>;
  add(key: string, count?: number): void;
}

/** Makes the counts, from those of a snapshot when there is one. */
export function createRefused(entries: Iterable<readonly [key: string, count: number]> = []): Refused {
  const counts = new Map(entries);
  return {
    counts,
    add(key, count = 1) {
      const name = counts.has(key) || counts.size < maxKeys - 1 ? key : "other";
      counts.set(name, (counts.get(name) ?? 0) + count);
    },
  };
}

/** Keys at most, `"other"` among them. */
export const maxKeys = 100;
