import type { Measure } from "./monitor.ts";

/** Whether one figure is back where it started. */
export interface Verdict {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** The most that `last` may be. */
  readonly most: number;
  /** What a run leaves behind by the line through the second half of the measures, in the figure's unit. */
  readonly perRun: number;
  readonly isFlat: boolean;
}

/**
 * Compares two ebbs, and draws a line (least squares) through the measures of the second half between them: a figure is
 * flat when neither the last ebb nor the growth along the line is beyond the tolerance. Tolerances: resident memory 10 %
 * and 8 MB, the journal's files 32 MiB, as mlmon keeps 16 MiB free in them to use again and SQLite's log takes as much,
 * what is in use of them 1 MB, the page 1 % and 200 bytes, everything that is counted 10.
 */
export function judge(first: Measure, last: Measure, measures: readonly Measure[]): readonly Verdict[] {
  // The wait at an ebb says nothing of what a run leaves, and in a short soak it is longer than the passing.
  const passing = measures.filter(({ time, passed }) => time > first.time && passed < last.passed);
  const half = passing.slice(Math.floor(passing.length / 2));
  return [...last.figures].map(([name, value]) => {
    const start = first.figures.get(name) ?? 0;
    const allowed = tolerance(name, start);
    const points = half.map(({ passed, figures }): Point => [passed, figures.get(name) ?? 0]);
    const perRun = slope(points);
    const growth = perRun * ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0));
    const isSteady = growth <= Math.max(allowed, spread(points, perRun));
    return {
      name,
      first: start,
      last: value,
      most: start + allowed,
      perRun,
      isFlat: value <= start + allowed && isSteady,
    };
  });
}

type Point = readonly [runs: number, value: number];

function tolerance(name: string, start: number): number {
  if (name === "resident") return 0.1 * start + 8e6;
  if (name === "journal") return 32 * 1024 ** 2;
  if (name === "journal in use") return 1e6;
  return name === "page" ? 0.01 * start + 200 : 10;
}

/** The slope of the least-squares line; 0 for fewer than three points. */
export function slope(points: readonly Point[]): number {
  if (points.length < 3) return 0;
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const above = points.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  const below = points.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

/** Twice the standard deviation around the line: what goes up and down by itself proves no growth. */
function spread(points: readonly Point[], perRun: number): number {
  if (points.length < 3) return 0;
  const x = points.reduce((sum, point) => sum + point[0], 0) / points.length;
  const y = points.reduce((sum, point) => sum + point[1], 0) / points.length;
  const squares = points.reduce((sum, [a, b]) => sum + (b - y - perRun * (a - x)) ** 2, 0);
  return 2 * Math.sqrt(squares / points.length);
}
