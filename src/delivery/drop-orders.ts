/** What people want to be dropped of what waits for a sink; its worker carries it out. */
export interface DropOrders {
  /** Wants what waits before the position to be dropped. Called for each `queue drop --waiting`. */
  give(sink: string, position: number): void;
  /** The position of the last order for the sink; 0 without one. */
  to(sink: string): number;
  /** Forgets an order that was carried out, or that the sink has overtaken; not one that has come since. */
  done(sink: string, position: number): void;
  /** Forgets those of other sinks than these: one that comes back begins anew. Called at each reload. */
  keep(sinks: readonly string[]): void;
  /** Fires at the next order for the sink, which then need not wait for the next try. */
  next(sink: string): AbortSignal;
}

/** Makes the orders of a pipeline; they outlive a sink that a reload exchanges. */
export function createDropOrders(): DropOrders {
  const positions = new Map<string, number>();
  const bells = new Map<string, AbortController>();
  return {
    give(sink, position) {
      positions.set(sink, position);
      bells.get(sink)?.abort();
      bells.delete(sink);
    },
    to: (sink) => positions.get(sink) ?? 0,
    done(sink, position) {
      if (positions.get(sink) === position) positions.delete(sink);
    },
    keep(sinks) {
      for (const sink of positions.keys()) if (!sinks.includes(sink)) positions.delete(sink);
    },
    next(sink) {
      const bell = bells.get(sink) ?? new AbortController();
      bells.set(sink, bell);
      return bell.signal;
    },
  };
}
