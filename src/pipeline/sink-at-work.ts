import { Hono } from "hono";
import type { ResolvedSink } from "../config/resolved.ts";
import { activateSink } from "../delivery/activate.ts";
import type { ActiveSink } from "../delivery/active-sink.ts";
import type { DropOrders } from "../delivery/drop-orders.ts";
import { runLatestWorker } from "../delivery/latest-worker.ts";
import { runPointsWorker } from "../delivery/points-worker.ts";
import type { Send } from "../delivery/send.ts";
import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Log } from "../model/log.ts";
import type { SinkContext } from "../model/sink.ts";
import type { View } from "../view/view.ts";
import { type CatchUpWorld, catchUp, rereadable } from "./catch-up.ts";
import { firstSeen, type Placed } from "./consumers.ts";
import { supervise } from "./supervise.ts";

/** A configured sink with its worker, from its making to its end. */
export interface SinkAtWork {
  readonly resolved: ResolvedSink;
  readonly sink: ActiveSink;
  /** Ends the worker at once; what it had not delivered stays in the journal. */
  readonly stop: AbortController;
  /** Ends the worker after the request it is at, or at once when that one fails. */
  readonly leave: AbortController;
  /** For `placeNew`. */
  readonly placed: Placed;
  /** Called once, before `start`; throws what the sink throws. */
  setup(): Promise<void>;
  /** Starts the worker; one that has not been set up yet does that first, again and again until it succeeds. */
  start(): void;
  /** Resolves when the worker has ended; at once when it was never started. */
  ended(): Promise<void>;
  /** What the sink serves on the status server, asked of it once. */
  routes(): Hono | undefined;
  /** Called once, after the worker has ended. */
  close(): Promise<void>;
}

/** What all sinks of a pipeline share. */
export interface SinkWorld {
  readonly journal: Journal;
  readonly view: View;
  readonly log: Log;
  readonly now: () => number;
  readonly send: Send;
  readonly once: boolean;
  readonly ownMetrics: () => Promise<string>;
  /** Absent where no journal outlives the program. */
  readonly catchUp?: CatchUpWorld | undefined;
  /** Fires when no more will be appended. */
  readonly inputEnded: AbortSignal;
  /** Whether a consumer makes room in a full journal by itself. */
  readonly yields: (consumer: string) => boolean;
  readonly dropOrders: DropOrders;
}

/** Makes a sink; nothing is opened or sent yet. Throws `ConfigError` when it cannot be made. */
export function sinkAtWork(resolved: ResolvedSink, world: SinkWorld): SinkAtWork {
  const { journal, view, log, now, send, once, ownMetrics, inputEnded, yields, dropOrders } = world;
  let seen: number | undefined;
  const stop = new AbortController();
  const leave = new AbortController();
  // It has a place when its first sample comes.
  const made = activateSink(resolved, { send, now, firstSeen: () => (seen ??= firstSeen(journal, resolved.id)) });
  const sink = once ? leavingWhenGone(made, leave) : made;
  const ctx: SinkContext = { log, now, signal: stop.signal, state: journal.state(sinkOwner(sink.id)), ownMetrics };
  let worker = Promise.resolve();
  let routes: Hono | undefined;
  let isSetUp = false;

  async function setup(): Promise<void> {
    await sink.traits.setup?.(ctx);
    isSetUp = true;
  }

  async function work(): Promise<void> {
    if (!isSetUp) await setup();
    if (world.catchUp && !isLatest(sink)) {
      // An export goes on when all is read; a service that stops does not begin with a long read.
      const ends = once ? [stop.signal, leave.signal] : [stop.signal, leave.signal, inputEnded];
      const signals = { leave: leave.signal, end: AbortSignal.any(ends) };
      if (!(await catchUp(sink, ctx, signals, world.catchUp))) return;
    }
    const own = { sink, journal, ctx, log, signal: stop.signal, leave: leave.signal, inputEnded, once };
    return isLatest(sink) ? runLatestWorker({ ...own, view }) : runPointsWorker({ ...own, yields, orders: dropOrders });
  }

  return {
    resolved,
    sink,
    stop,
    leave,
    placed: {
      id: sink.id,
      startFrom: resolved.host.startFrom,
      catchesUp:
        world.catchUp !== undefined && !isLatest(sink) && rereadable(world.catchUp.config()).sources.length > 0,
    },
    setup,
    start() {
      worker = supervise(sink, work, { signal: AbortSignal.any([stop.signal, leave.signal]), log });
    },
    ended: () => worker,
    routes() {
      if (sink.traits.serve && !routes) {
        routes = new Hono();
        sink.traits.serve(routes);
      }
      return routes;
    },
    close: async () => sink.traits.close?.(),
  };
}

/** The sink, whose worker ends once nobody can take anything any more. */
function leavingWhenGone(sink: ActiveSink, leave: AbortController): ActiveSink {
  return {
    ...sink,
    async deliver(request, ctx) {
      const outcome = await sink.deliver(request, ctx);
      if (outcome.kind === "paused" && outcome.gone) leave.abort();
      return outcome;
    },
  };
}

/** Whether a sink moves on by itself when the journal is full, what it has not delivered counted. */
export function makesRoom(sink: ActiveSink): boolean {
  return isLatest(sink) || sink.whenFull === "drop-oldest";
}

/** Whether a sink wants the newest value of every series, not every point. */
export function isLatest({ traits }: ActiveSink): boolean {
  return traits.consumes === "latest";
}
