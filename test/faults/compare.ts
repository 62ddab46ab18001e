import type { Point } from "../e2e/judge.ts";
import { idOf } from "./arrivals.ts";

/** How what has arrived at a sink of points differs from what MLflow holds. */
export interface Comparison {
  /** Points of MLflow that have not arrived as they are and are no dead letter either. */
  readonly lost: number;
  /** Arrivals beyond the first of each point. */
  readonly doubled: number;
  /** Points that came for the first time after a later one of their series. */
  readonly outOfOrder: number;
}

/** Compares; `dead` holds the ids of accounted dead letters. */
export function compare(points: readonly Point[], arrivals: readonly Point[], dead: ReadonlySet<string>): Comparison {
  const arrived = new Set<string>();
  const highest = new Map<string, number>();
  let doubled = 0;
  let outOfOrder = 0;
  for (const point of arrivals) {
    const id = idOf(point);
    if (arrived.has(id)) {
      doubled += 1;
      continue;
    }
    arrived.add(id);
    const series = `${point.run} ${point.key}`;
    if (point.step < (highest.get(series) ?? Number.NEGATIVE_INFINITY)) outOfOrder += 1;
    else highest.set(series, point.step);
  }
  const lost = points.map(idOf).filter((id) => !arrived.has(id) && !dead.has(id)).length;
  return { lost, doubled, outOfOrder };
}
