import type { Hono } from "hono";
import type { Awaitable } from "./awaitable.ts";
import type { Batch } from "./batch.ts";
import type { Context } from "./context.ts";
import type { Held } from "./entries.ts";
import type { HttpRequest } from "./http-request.ts";
import type { Outcome } from "./outcome.ts";
import type { Run } from "./run.ts";
import type { Sample } from "./sample.ts";

/** What every sink may say of itself, whatever carries its requests. */
export interface SinkTraits {
  /**
   * `"points"` (default): every sample once, in order per series. `"latest"`: the newest value of every live series,
   * whole groups at a time, each time one of them has changed.
   */
  readonly consumes?: "points" | "latest";
  /** The most one `render` is given, unless the user sets `batch`: samples (default 1000), bytes (default 1 MiB). */
  readonly limits?: { readonly samples?: number; readonly bytes?: number };
  /** Names the group of a run (`"latest"` only); samples without a run, and all when this is absent, are group `""`. */
  groupBy?(run: Run): string;
  /**
   * After how many ms a group that has not changed is sent again (`"latest"` only), to a receiver that may lose what it
   * holds; never by default.
   */
  readonly refreshMs?: number;
  /** Says why this sink cannot carry a sample, which is then counted under that reason and not rendered. Pure. */
  refuse?(sample: Sample): string | undefined;
  /** Called once before the first delivery; at a reload after the sink whose place it takes was closed. */
  setup?(ctx: SinkContext): Awaitable<void>;
  /** Called once after the last delivery. */
  close?(): Awaitable<void>;
  /** Adds routes to the status server, once, before it listens. */
  serve?(app: Hono): void;
  /** What it holds in memory, shown as `mlmon_entries`. Asked for at each status. */
  entries?(): Held;
  /** True for a sink that is read through `serve` alone: `export-once`, which serves nothing, leaves it out. */
  readonly pulled?: boolean;
  /** True for a sink whose `deliver` writes to stdout: a command that delivers prints its result on stderr then. */
  readonly ownsStdout?: boolean;
}

/** What the host lends to a sink at `setup` and `deliver`. */
export interface SinkContext extends Context {
  /** mlmon's own series as text exposition 0.0.4. */
  ownMetrics(): Promise<string>;
}

/** A sink over HTTP: it only says what to send; sending, retrying and splitting are the host's. */
export interface HttpSink extends SinkTraits {
  /** Pure: no I/O, no clock, no randomness; equal batches give equal bytes. Called again with halves after a split. */
  render(batch: Batch): readonly HttpRequest[];
  /** Reads an answer; by default the table for JSON receivers (`classify` of this package). */
  classify?(response: Response): Awaitable<Outcome>;
  /** A request that proves address and credentials and leaves no data behind, for `mlmon doctor`. */
  check?(): HttpRequest;
}

/** A sink that carries its requests itself. */
export interface Sink<Request> extends SinkTraits {
  /** Pure: no I/O, no clock, no randomness; equal batches give equal requests. */
  render(batch: Batch): readonly Request[];
  /** Sends what `render` returned and nothing else; never throws for a failed delivery. */
  deliver(request: Request, ctx: SinkContext): Promise<Outcome>;
}
