import { invalid } from "./answers.ts";

/** A number or a text to sort by, each of one kind for all items; nothing comes last. */
export type Key<T> = (item: T) => number | string | undefined;

/**
 * Reads an `order_by` such as `["attributes.start_time DESC"]` and makes the comparison. As in MLflow, `last` (in the
 * same form) decides between what is equal, and an unknown name is refused.
 */
export function parseOrder<T>(
  orderBy: readonly string[],
  keys: Readonly<Record<string, Key<T>>>,
  last: readonly string[],
): (a: T, b: T) => number {
  const steps = [...orderBy, ...last].map((words) => {
    const [, name = "", direction = "ASC"] = /^(?:attributes?\.)?(\w+)(?:\s+(ASC|DESC))?$/i.exec(words.trim()) ?? [];
    const key = keys[name];
    if (!key) throw invalid(`Invalid attribute key '${name || words}' specified`);
    return { key, isDescending: direction.toUpperCase() === "DESC" };
  });
  return (a, b) => {
    for (const { key, isDescending } of steps) {
      const order = compare(key(a), key(b), isDescending);
      if (order !== 0) return order;
    }
    return 0;
  };
}

function compare(a: number | string | undefined, b: number | string | undefined, isDescending: boolean): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
  return a < b === isDescending ? 1 : -1;
}
