import type { ResolvedEntry } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import type { Progress, SourceContext } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import type { Source } from "../model/source.ts";
import type { State } from "../model/state.ts";
import { type Intake, sourceOwner } from "./intake.ts";
import { type ActiveSource, activeSource, readSource } from "./read-source.ts";

/** A configured source with its loop. */
export interface SourceAtWork {
  readonly active: ActiveSource;
  /** Reads until the source ends, `stop` is called or the signal of the world fires; rejects only with `once`. */
  read(consumes: SourceContext["consumes"]): Promise<void>;
  /** Resolves when reading has ended; at once when it was never begun. Never rejects. */
  ended(): Promise<void>;
  stop(): void;
}

/** What all sources of a pipeline share. */
export interface SourceWorld {
  readonly journal: Journal;
  readonly intake: Intake;
  readonly log: Log;
  readonly now: () => number;
  readonly once: boolean;
  /** Fires when all reading is to end. */
  readonly signal: AbortSignal;
  /** Frees what only the view's last snapshot keeps in the journal. */
  readonly makeRoom: () => Promise<void>;
  readonly onProgress: (source: string, progress: Progress) => void;
}

/** Prepares a source; nothing is made or read yet. */
export function sourceAtWork(entry: ResolvedEntry<Source>, world: SourceWorld): SourceAtWork {
  const { journal, intake, log, now, once, makeRoom, onProgress } = world;
  const active = activeSource(entry);
  const own = new AbortController();
  let ended: Promise<void> = Promise.resolve();
  return {
    active,
    read(consumes) {
      const signal = AbortSignal.any([world.signal, own.signal]);
      const state = until(signal, journal.state(sourceOwner(entry.id)));
      const context = { log, now, signal, state, once, consumes };
      const reading = readSource(active, { journal, intake, makeRoom, context, onProgress });
      ended = reading.catch(() => undefined);
      return reading;
    },
    ended: () => ended,
    stop: () => own.abort(),
  };
}

/** What a source sets after it was told to end belongs to no batch, and must not go with the first of its successor. */
function until(signal: AbortSignal, state: State): State {
  return {
    get: (key) => state.get(key),
    scan: (prefix) => state.scan(prefix),
    set(key, value) {
      if (!signal.aborted) state.set(key, value);
    },
    delete(key) {
      if (!signal.aborted) state.delete(key);
    },
  };
}
