import * as v from "valibot";
import type { Context } from "../model/context.ts";
import { defineTransform } from "../model/define.ts";
import { isLater } from "../model/latest-rule.ts";
import { option } from "../model/option.ts";
import type { Sample } from "../model/sample.ts";

/**
 * Keeps at most one sample per series and interval for sinks of points, by the times at which they were logged: the
 * first of each interval. Sinks of latest values show the newest value all the same, whether it was kept or not. What
 * was kept last is remembered across restarts, and forgotten when the run has ended. Times that go back begin an
 * interval anew.
 *
 * @example thin({ interval: "10s" })
 */
export const thin = defineTransform(
  "thin",
  v.strictObject({
    /** Length of the interval; intervals begin at multiples of it. */
    interval: v.pipe(option.duration(), v.minValue(1, "a duration of at least 1ms")),
  }),
  ({ interval }) =>
    (batch, { state }) => {
      const newest = new Map<string, Sample>();
      const samples = batch.samples.filter((sample) => {
        const key = seriesKey(sample);
        const slot = String(Math.floor(sample.time / interval));
        const dropped = newest.get(key);
        const isNewest = dropped === undefined || isLater(sample, dropped);
        if (state.get(key) === slot) {
          if (isNewest) newest.set(key, sample);
          return false;
        }
        if (isNewest) newest.delete(key);
        state.set(key, slot);
        return true;
      });
      for (const run of batch.ended) forget(state, run.id);
      return { ...batch, samples, restored: [...newest.values()] };
    },
);

function seriesKey({ run, name, labels }: Sample): string {
  return JSON.stringify([run?.id ?? "", name, labels ?? {}]);
}

function forget(state: Context["state"], run: string): void {
  const prefix = `${JSON.stringify([run]).slice(0, -1)},`;
  for (const [key] of [...state.scan(prefix)]) state.delete(key);
}
