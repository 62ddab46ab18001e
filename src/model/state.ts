/**
 * The memory of a source, transform or sink, a key–value store in the journal. What was `set` or deleted when a batch
 * is taken is committed in one transaction with that batch; until then only this object sees it.
 */
export interface State {
  get(key: string): StateValue | undefined;
  set(key: string, value: StateValue): void;
  delete(key: string): void;
  /** Yields the entries whose key starts with `prefix`, by key in byte order. */
  scan(prefix: string): Iterable<readonly [key: string, value: StateValue]>;
}

/** Text, or bytes kept as they are. */
export type StateValue = string | Uint8Array;
