import * as v from "valibot";
import { type MlflowOptions, mlflowOptions } from "../../src/mlflow/options.ts";
import type { Batch } from "../../src/model/batch.ts";
import type { Poll, SourceContext } from "../../src/model/context.ts";
import { silentLog } from "../../src/model/log.ts";
import type { State, StateValue } from "../../src/model/state.ts";

/** A journal in miniature: changes are pending until a batch is taken, and lost when the reader is thrown away. */
export interface MemoryJournal {
  readonly state: State;
  readonly batches: Batch[];
  take(batch: Batch): void;
  /** Forgets what was set since the last batch, as a crash does. */
  crash(): void;
}

export function memoryJournal(): MemoryJournal {
  const committed = new Map<string, StateValue>();
  let pending = new Map<string, StateValue | undefined>();
  const batches: Batch[] = [];
  const current = (key: string) => (pending.has(key) ? pending.get(key) : committed.get(key));
  return {
    batches,
    state: {
      get: current,
      set: (key, value) => void pending.set(key, typeof value === "string" ? value : value.slice()),
      delete: (key) => void pending.set(key, undefined),
      *scan(prefix) {
        const keys = new Set([...committed.keys(), ...pending.keys()]);
        for (const key of [...keys].filter((each) => each.startsWith(prefix)).sort()) {
          const value = current(key);
          if (value !== undefined) yield [key, value] as const;
        }
      },
    },
    take(batch) {
      batches.push(batch);
      for (const [key, value] of pending) {
        if (value === undefined) committed.delete(key);
        else committed.set(key, value);
      }
      pending = new Map();
    },
    crash() {
      pending = new Map();
    },
  };
}

/** A context for tests; `polls` gathers what the source reports. */
export function context(
  journal: MemoryJournal,
  change: Partial<SourceContext> = {},
): SourceContext & { readonly polls: Poll[] } {
  const polls: Poll[] = [];
  return {
    state: journal.state,
    log: silentLog,
    signal: new AbortController().signal,
    now: Date.now,
    once: true,
    consumes: "points",
    progress() {},
    polled: (poll) => void polls.push(poll),
    ...change,
    polls,
  };
}

/** Checked options, without what the environment might add. */
export function options(trackingUri: string, change: v.InferInput<typeof mlflowOptions> = {}): MlflowOptions {
  return v.parse(mlflowOptions, { trackingUri, ...change });
}
