import type { Awaitable } from "./awaitable.ts";
import type { Batch } from "./batch.ts";
import type { Context, SourceContext } from "./context.ts";

/**
 * Reads batches from somewhere. The host calls `read` once and pulls: a batch is asked for when the one before is in
 * the journal, so the code after a `yield` is the acknowledgement. An exception ends the source and is logged; what is
 * expected to fail (a server that is away) is the source's own to repeat.
 */
export interface Source {
  read(ctx: SourceContext): AsyncIterable<Batch>;
  /** Called once, after `read` has ended. */
  close?(): Awaitable<void>;
}

/** Turns one batch into another, between a source and the journal; an empty one drops everything. */
export type Transform = (batch: Batch, ctx: Context) => Awaitable<Batch>;
