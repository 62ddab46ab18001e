import type { Journal } from "../journal/journal.ts";

/** A watch over the journal while a request is under way. */
export interface JournalWatch {
  /** Fires at the first change after which it holds; at once when it holds already. */
  readonly fired: AbortSignal;
  /** Ends the watch, when the request is over. */
  end(): void;
}

/** Watches for the moment from which on something holds; called by workers for each slice or group that may be left. */
export function watchJournal(journal: Journal, holds: () => boolean): JournalWatch {
  const fired = new AbortController();
  const over = new AbortController();
  async function watch(): Promise<void> {
    while (!over.signal.aborted && !holds()) await journal.changed(over.signal);
    if (!over.signal.aborted) fired.abort();
  }
  // A journal that cannot be asked is told of by whoever writes to it.
  watch().catch(() => undefined);
  return { fired: fired.signal, end: () => over.abort() };
}
