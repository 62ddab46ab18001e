/** One point as MLflow has it or as it arrived; `value` as JavaScript prints it, or `"null"`. */
export interface Point {
  readonly run: string;
  readonly key: string;
  readonly value: string;
  readonly time: number;
  readonly step: number;
}

/** How what arrived differs from what MLflow holds; all empty when nothing was lost, doubled or changed. */
export interface Verdict {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

/** Compares two collections of points as multisets; an altered point shows as one missing and one extra. */
export function judge(expected: readonly Point[], arrived: readonly Point[]): Verdict {
  const balance = new Map<string, number>();
  for (const point of expected) add(balance, point, 1);
  for (const point of arrived) add(balance, point, -1);
  const missing: string[] = [];
  const extra: string[] = [];
  for (const [point, count] of balance) {
    if (count > 0) missing.push(`${count} × ${point}`);
    if (count < 0) extra.push(`${-count} × ${point}`);
  }
  return { missing, extra };
}

/** Names the first series whose points did not arrive in the order in which MLflow sorts them. */
export function outOfOrder(expected: readonly Point[], arrived: readonly Point[]): readonly string[] {
  const wanted = bySeries(expected);
  const got = bySeries(arrived);
  return [...wanted].filter(([series, points]) => got.get(series)?.join() !== points.join()).map(([series]) => series);
}

function add(balance: Map<string, number>, { run, key, value, time, step }: Point, by: number): void {
  const text = JSON.stringify([run, key, value, time, step]);
  balance.set(text, (balance.get(text) ?? 0) + by);
}

function bySeries(points: readonly Point[]): Map<string, string[]> {
  const series = new Map<string, string[]>();
  for (const { run, key, value, time, step } of points) {
    const name = `${run} ${key}`;
    const list = series.get(name) ?? [];
    list.push(`${value}@${time}#${step}`);
    series.set(name, list);
  }
  return series;
}
