/**
 * Names the options that a schema of valibot knows at a place, to tell a misspelt one: `["retry"]` gives
 * `["base", "cap"]`. Empty where any name is good.
 */
export function optionNames(schema: unknown, place: readonly unknown[] = []): readonly string[] {
  const bare = unwrapped(schema);
  if (typeof bare !== "object" || bare === null || !("entries" in bare)) return [];
  const { entries } = bare;
  if (typeof entries !== "object" || entries === null) return [];
  const [key, ...rest] = place;
  if (key === undefined) return Object.keys(entries);
  return optionNames(Reflect.get(entries, String(key)), rest);
}

/** What an optional or nullish schema wraps. */
function unwrapped(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null || !("wrapped" in schema)) return schema;
  return unwrapped(schema.wrapped);
}
