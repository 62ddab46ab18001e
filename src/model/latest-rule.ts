/** What MLflow orders points by. */
interface Point {
  readonly step: number;
  readonly time: number;
  readonly value: number;
}

/**
 * Says whether `a` is later than `b` by MLflow's own rule: greatest step, then time, then value. NaN counts as 0 there
 * (it is stored so); between it and a true 0 the number is later, so that the order of arrival does not matter.
 */
export function isLater(a: Point, b: Point): boolean {
  if (a.step !== b.step) return a.step > b.step;
  if (a.time !== b.time) return a.time > b.time;
  const first = Number.isNaN(a.value) ? 0 : a.value;
  const second = Number.isNaN(b.value) ? 0 : b.value;
  if (first !== second) return first > second;
  return Number.isNaN(b.value) && !Number.isNaN(a.value);
}
