import type { Batch, EndedRun } from "../model/batch.ts";
import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import type { State } from "../model/state.ts";
import type { Counts } from "./counts.ts";
import { forgetRun, type RunState, saveRun } from "./run-state.ts";

/**
 * A batch in the making. What is to be remembered of its content is handed in beside it, and takes effect when the
 * batch is taken: so the state committed with a batch says exactly what was emitted up to it.
 */
export interface Draft {
  add(part: DraftPart): void;
  /** Whether a part of this many samples would make it larger than a batch should be. */
  isFullWith(samples: number): boolean;
  isEmpty(): boolean;
  /** Gives the batch, lets its effects happen, and starts anew. */
  take(): Batch;
}

/** What is added to a draft at once, and never divided between two batches. */
export interface DraftPart {
  readonly samples?: readonly Sample[];
  readonly ran?: Run;
  readonly ended?: EndedRun;
  readonly restored?: readonly Sample[];
  /** The run whose memory the effect changes. */
  readonly state: RunState;
  readonly effect: () => void;
  /** The run is gone for good: it is forgotten instead of remembered. */
  readonly forget?: boolean;
}

/** Makes a draft; one per pass. */
export function createDraft(state: State, counts: Counts, now: () => number, maxSamples = 10_000): Draft {
  let parts: DraftPart[] = [];
  let weight = 0;
  return {
    add(part) {
      parts.push(part);
      weight += (part.samples?.length ?? 0) + (part.restored?.length ?? 0);
    },
    isFullWith: (samples) => parts.length > 0 && (weight + samples > maxSamples || parts.length >= maxSamples),
    isEmpty: () => parts.length === 0,
    take() {
      const taken = parts;
      parts = [];
      weight = 0;
      for (const { effect } of taken) effect();
      const forgotten = new Set(taken.flatMap((part) => (part.forget ? part.state : [])));
      for (const run of new Set(taken.map((part) => part.state))) if (!forgotten.has(run)) saveRun(state, run);
      for (const run of forgotten) forgetRun(state, run);
      counts.save();
      const restored = taken.flatMap((part) => part.restored ?? []);
      return {
        time: now(),
        samples: taken.flatMap((part) => part.samples ?? []),
        ended: taken.flatMap((part) => part.ended ?? []),
        runs: taken.flatMap((part) => part.ran ?? []),
        ...(restored.length > 0 && { restored }),
      };
    },
  };
}
