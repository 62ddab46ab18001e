/** What people want to be dropped of what waits for a sink; its worker carries it out. */
export interface DropOrders {
  /** Wants what waits before the position to be dropped. Called for each `queue drop --waiting`. */
  give(sink: string, position: number): void;
  /** The position of the last order for the sink; 0 without one. */
  to(sink: string): number;
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
    next(sink) {
      const bell = bells.get(sink) ?? new AbortController();
      bells.set(sink, bell);
      return bell.signal;
    },
  };
}
