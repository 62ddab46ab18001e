import * as v from "valibot";
import { momentWords, option, waitingTime } from "./option.ts";
import type { Sample } from "./sample.ts";

/** Delivery options, the same for every sink: the second argument of its factory. */
export const sinkOptions = v.strictObject({
  /** Names the sink in logs, metrics and its place in the journal; its type by default. */
  id: v.optional(v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][\w.-]*$/, "letters, digits, dot, dash and underscore"))),
  /** Keeps the samples this sink is to have; all by default. */
  match: v.optional(v.custom<(sample: Sample) => boolean>((input) => typeof input === "function", "a function")),
  batch: v.optional(
    v.strictObject({
      /** Samples in one slice at most; the sink's own limit by default. */
      size: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
      /** Estimated bytes in one slice at most; the sink's own limit by default. */
      bytes: v.optional(option.size()),
      /** How long to wait for a slice to fill, or between two pushes of latest values; 0 by default. */
      interval: v.optional(waitingTime()),
    }),
  ),
  /**
   * Where a sink begins that the journal does not know yet: with all that the journal and MLflow still hold
   * (`"beginning"`, the default), or with samples logged at a date or later; `"now"` is the date at which mlmon first
   * sees the sink, kept in the state folder as long as the sink stays. It compares the times that MLflow's clients have
   * logged, and tells nothing of runs that had ended before; what is known of others is told. For `dry-run` and for
   * `export-once` without `--state`, each call sees the sink first: what MLflow holds is left out, as it would be; of
   * recorded samples (`--input`), which stand for those to come, nothing is.
   */
  startFrom: v.optional(
    v.union([v.picklist(["now", "beginning"]), option.moment()], `"now", "beginning", or ${momentWords}`),
  ),
  /**
   * What happens when this sink lets the journal run full: reading pauses, which loses nothing (`"pause"`, the default),
   * or the oldest samples that wait for this sink alone are dropped, counted and logged (`"drop-oldest"`).
   */
  whenFull: v.optional(v.picklist(["pause", "drop-oldest"])),
  /** How long one request may take; 30 s by default. */
  timeout: v.optional(waitingTime()),
  retry: v.optional(
    v.pipe(
      v.strictObject({
        /** The first backoff; 1 s by default. */
        base: v.optional(waitingTime()),
        /** The longest backoff; 60 s by default. */
        cap: v.optional(waitingTime()),
      }),
      v.rawCheck(({ dataset, addIssue }) => {
        if (!dataset.typed) return;
        const { base = 0, cap = defaultCapMs } = dataset.value;
        if (base <= cap) return;
        const expected = `at most ${cap / 1000} s, the longest backoff (retry.cap)`;
        const path = { type: "object", origin: "value", input: dataset.value, key: "base", value: base } as const;
        addIssue({ message: expected, input: `${base / 1000} s`, path: [path] });
      }),
    ),
  ),
});

/** Delivery options as a user writes them. */
export type SinkOptions = v.InferInput<typeof sinkOptions>;
/** The same after the check: durations in ms, sizes in bytes. */
export type CheckedSinkOptions = v.InferOutput<typeof sinkOptions>;

/** The longest backoff where `retry.cap` says nothing, ms. */
export const defaultCapMs = 60_000;
