import * as v from "valibot";
import type { Context } from "../model/context.ts";
import { defineTransform } from "../model/define.ts";
import { option } from "../model/option.ts";
import type { Sample } from "../model/sample.ts";

/**
 * Keeps at most one sample per series and interval, by the times at which they were logged: the first of each interval.
 * Times that go back begin an interval anew. What it kept last is remembered across restarts, and forgotten when the run
 * has ended.
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
      const samples = batch.samples.filter((sample) => {
        const key = seriesKey(sample);
        const slot = String(Math.floor(sample.time / interval));
        if (state.get(key) === slot) return false;
        state.set(key, slot);
        return true;
      });
      for (const run of batch.ended) forget(state, run.id);
      return { ...batch, samples };
    },
);

function seriesKey({ run, name, labels }: Sample): string {
  return JSON.stringify([run?.id ?? "", name, labels ?? {}]);
}

function forget(state: Context["state"], run: string): void {
  const prefix = `${JSON.stringify([run]).slice(0, -1)},`;
  for (const [key] of [...state.scan(prefix)]) state.delete(key);
}
