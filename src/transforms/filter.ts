import { defineTransform } from "../model/define.ts";
import type { Sample } from "../model/sample.ts";
import { verdict } from "../model/verdict.ts";
import { functionOption } from "./function-option.ts";

/**
 * Keeps the samples for which the function is true; the others are counted as filtered.
 *
 * @example filter((sample) => !sample.name.startsWith("debug/"))
 */
export const filter = defineTransform("filter", functionOption<(sample: Sample) => boolean>(), (keep) => (batch) => ({
  ...batch,
  samples: batch.samples.filter((sample) => verdict(keep(sample))),
}));
