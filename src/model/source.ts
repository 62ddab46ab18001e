import type { Awaitable } from "./awaitable.ts";
import type { Batch } from "./batch.ts";
import type { Context, SourceContext } from "./context.ts";
import type { Held } from "./entries.ts";
import type { Inspection } from "./inspection.ts";

/**
 * Reads batches from somewhere. The host calls `read` once and pulls: a batch is asked for when the one before is in
 * the journal, so the code after a `yield` is the acknowledgement. An exception ends the source and is logged; what is
 * expected to fail (a server that is away) is the source's own to repeat.
 */
export interface Source {
  read(ctx: SourceContext): AsyncIterable<Batch>;
  /**
   * True when a second one, without state and with `once`, reads the whole history again: a sink that is new then gets
   * what the journal no longer holds.
   */
  readonly rereads?: boolean;
  /** Where it reads from, for people: an address without user part and query. */
  readonly place?: string;
  /** Called once, after `read` has ended. */
  close?(): Awaitable<void>;
  /** What it holds in memory, shown as `mlmon_entries`. Asked for at each status. */
  entries?(): Held;
  /** Looks at the other side without reading data, for `mlmon doctor`; never throws for what the other side does. */
  inspect?(signal: AbortSignal): Promise<Inspection>;
}

/**
 * Turns one batch into another, between a source and the journal; an empty one drops everything. `samples` and `ended`
 * are taken of it, and `restored`: values that sinks of latest values are to show, and sinks of points do not get. What
 * another part has put there comes as `samples` of a batch of its own, with an empty state.
 */
export type Transform = (batch: Batch, ctx: Context) => Awaitable<Batch>;
