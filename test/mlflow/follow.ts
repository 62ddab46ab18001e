import type { Batch } from "../../src/model/batch.ts";
import type { SourceContext } from "../../src/model/context.ts";
import type { Source } from "../../src/model/source.ts";
import { context, type MemoryJournal } from "./memory.ts";

/** A source at work in the background. */
export interface Following {
  readonly polls: ReturnType<typeof context>["polls"];
  /** Resolves with the value as soon as there is one; rejects after the deadline with what was waited for. */
  until<T>(what: string, find: (batches: readonly Batch[]) => T | undefined | false, ms?: number): Promise<T>;
  /** Stops it and waits for its end. */
  stop(): Promise<void>;
}

/** Lets a source read on, with each batch committed as it comes. */
export function follow(source: Source, journal: MemoryJournal, change: Partial<SourceContext> = {}): Following {
  const stopping = new AbortController();
  const ctx = context(journal, { once: false, signal: stopping.signal, ...change });
  const ended = (async () => {
    for await (const batch of source.read(ctx)) journal.take(batch);
  })();
  let failure: unknown;
  ended.catch((error) => {
    failure = error;
  });
  return {
    polls: ctx.polls,
    async until(what, find, ms = 30_000) {
      const deadline = Date.now() + ms;
      for (;;) {
        if (failure) throw failure;
        const found = find(journal.batches);
        if (found !== undefined && found !== false) return found;
        if (Date.now() > deadline) throw new Error(`Waited ${ms} ms in vain for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
