import type { Batch } from "../model/batch.ts";
import type { Outcome } from "../model/outcome.ts";
import type { Sample } from "../model/sample.ts";
import type { SinkContext, SinkTraits } from "../model/sink.ts";

/** A sink at work: what a worker needs, with every default filled in and HTTP sinks given the host's sender. */
export interface ActiveSink {
  readonly id: string;
  readonly type: string;
  /** Whether its requests are sent by the host. */
  readonly isHttp: boolean;
  readonly traits: SinkTraits;
  render(batch: Batch): readonly unknown[];
  deliver(request: unknown, ctx: SinkContext): Promise<Outcome>;
  readonly match: ((sample: Sample) => boolean) | undefined;
  /** The time (Unix ms) before which nothing that was logged is for it, however late it is read; absent: all is. */
  readonly startsAt: (() => number) | undefined;
  readonly batch: { readonly samples: number; readonly bytes: number; readonly intervalMs: number };
  /** What becomes of its backlog when the journal is full on its account. */
  readonly whenFull: "pause" | "drop-oldest";
  readonly timeoutMs: number;
  readonly retry: { readonly baseMs: number; readonly capMs: number };
  readonly status: SinkStatus;
  /** What has arrived of the slice that its worker had to leave. */
  partial: Partial | undefined;
  /** Reasons for which samples are left out or were refused, those that were logged. */
  readonly explained: Set<string>;
  /** Groups of latest values that its worker remembers: at most as many as there are, here or at the receiver. */
  groups: number;
}

/** A slice that was left amid its requests: cut alike it gives the same ones, and those that have arrived are left out. */
export interface Partial {
  /** Where it begins and ends in the journal. */
  readonly position: number;
  readonly next: number;
  readonly arrived: readonly unknown[];
}

/** How a sink is doing, for pages and metrics; written by its worker alone. */
export interface SinkStatus {
  state: "idle" | "delivering" | "retrying" | "paused" | "stopped";
  /** Where the last request went, such as `https://example.com`; of a sink over HTTP, once it has sent one. */
  place: string | undefined;
  /** Unix ms of the last delivered request. */
  lastSuccess: number | undefined;
  /** `gone` when nobody can take anything any more. */
  lastError: { readonly time: number; readonly reason: string; readonly gone?: boolean } | undefined;
  /** Requests by how they ended. */
  readonly requests: { delivered: number; retry: number; rejected: number; paused: number; split: number };
  /** How long all of them together have taken, ms. */
  requestMs: number;
}
