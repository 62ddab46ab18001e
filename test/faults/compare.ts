import type { Point } from "../e2e/judge.ts";
import { idOf } from "./arrivals.ts";

/** How what has arrived at a sink of points differs from what MLflow holds. */
export interface Comparison {
  /** Points of MLflow that have not arrived as they are and are no dead letter either. */
  readonly lost: number;
  /** Arrivals beyond the first of each point. */
  readonly doubled: number;
  /** Different points at most that came again in a row: what one end by force, or one lost answer, has repeated. */
  readonly repeatedAtOnce: number;
  /** Points that came for the first time after a later one of their series. */
  readonly outOfOrder: number;
  /** Different points that came though MLflow does not hold them, or as dead letters do. */
  readonly strange: number;
}

/** Compares; `dead` holds the ids of accounted dead letters. */
export function compare(points: readonly Point[], arrivals: readonly Point[], dead: ReadonlySet<string>): Comparison {
  const wanted = new Set(points.map(idOf));
  const arrived = new Set<string>();
  const highest = new Map<string, number>();
  const again = new Set<string>();
  let doubled = 0;
  let repeatedAtOnce = 0;
  let outOfOrder = 0;
  for (const point of arrivals) {
    const id = idOf(point);
    if (arrived.has(id)) {
      doubled += 1;
      again.add(id);
      repeatedAtOnce = Math.max(repeatedAtOnce, again.size);
      continue;
    }
    again.clear();
    arrived.add(id);
    const series = `${point.run} ${point.key}`;
    if (point.step < (highest.get(series) ?? Number.NEGATIVE_INFINITY)) outOfOrder += 1;
    else highest.set(series, point.step);
  }
  const lost = [...wanted].filter((id) => !arrived.has(id) && !dead.has(id)).length;
  const strange = [...arrived].filter((id) => !wanted.has(id) || dead.has(id)).length;
  return { lost, doubled, repeatedAtOnce, outOfOrder, strange };
}
