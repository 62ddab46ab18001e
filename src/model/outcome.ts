/**
 * What became of one request. Delivery failures are values; an exception from a sink is a bug.
 *
 * - `delivered`: the receiver has it.
 * - `retry`: try the same bytes again, after `afterMs` when the receiver named a time, else after a backoff.
 * - `rejected`: never try again; its samples become dead letters with `reason`.
 * - `paused`: keep everything and try again slowly (every 30 s), for a human must mend something. Where nobody can, as
 *   with a pipe whose reader has gone, `gone` lets an export end at once instead.
 * - `split`: send it in halves; a single sample that still fails is rejected.
 */
export type Outcome =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly reason: string; readonly afterMs?: number }
  | { readonly kind: "rejected"; readonly reason: string }
  | { readonly kind: "paused"; readonly reason: string; readonly gone?: boolean }
  | { readonly kind: "split"; readonly reason: string };
