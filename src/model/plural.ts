/** Counts something in words: `"1 run"`, `"6 runs"`; `written` is the count as it is to be read, such as `"1 234"`. */
export function plural(count: number, noun: string, written: string = String(count)): string {
  return `${written} ${noun}${count === 1 ? "" : "s"}`;
}
