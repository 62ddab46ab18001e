/** One logged point of the demo's MLflow. */
export interface StoredPoint {
  readonly key: string;
  /** NaN, or finite: MLflow's SQL stores keep an infinity as the largest finite number. */
  readonly value: number;
  /** Unix ms. */
  readonly timestamp: number;
  readonly step: number;
}

/** The points of one key of one run, kept as MLflow's SQL stores keep them. */
export interface Series {
  /** Sorted by time, step, value; no two are equal. */
  readonly points: readonly StoredPoint[];
  /** The greatest by step, time, value; what a search shows of the series. */
  latest(): StoredPoint | undefined;
  /** Adds a point; one that is there already changes nothing. Almost always the last, which costs nothing extra. */
  add(point: StoredPoint): void;
}

/** Makes a series without points. */
export function createSeries(): Series {
  const points: StoredPoint[] = [];
  let latest: StoredPoint | undefined;
  return {
    points,
    latest: () => latest,
    add(logged) {
      const point = { ...logged, value: asStored(logged.value) };
      const index = points.findLastIndex((other) => byTime(other, point) <= 0);
      const before = points[index];
      if (before && byTime(before, point) === 0) return;
      points.splice(index + 1, 0, point);
      if (!latest || byStep(point, latest) > 0) latest = point;
    },
  };
}

function asStored(value: number): number {
  if (Number.isNaN(value)) return value;
  // Adding 0 turns −0, which SQL does not keep, into 0.
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)) + 0;
}

/** MLflow's column of values holds 0 for NaN, beside a flag that tells the two apart. */
function byTime(a: StoredPoint, b: StoredPoint): number {
  const flags = Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
  return a.timestamp - b.timestamp || a.step - b.step || column(a) - column(b) || flags;
}

function byStep(a: StoredPoint, b: StoredPoint): number {
  return a.step - b.step || a.timestamp - b.timestamp || column(a) - column(b);
}

function column({ value }: StoredPoint): number {
  return Number.isNaN(value) ? 0 : value;
}
