import * as v from "valibot";
import { defineTransform } from "../model/define.ts";
import type { Sample } from "../model/sample.ts";
import { functionOption } from "./function-option.ts";

/**
 * Gives metric keys another name: by a table of old and new names, or by a function of the sample.
 *
 * @example rename({ "val/loss": "validation_loss" })
 * @example rename((sample) => sample.name.toLowerCase())
 */
export const rename = defineTransform(
  "rename",
  v.union(
    [v.record(v.string(), v.pipe(v.string(), v.nonEmpty())), functionOption<(sample: Sample) => string>()],
    "a table of names, or a function",
  ),
  (names) => {
    const nameOf =
      typeof names === "function" ? names : ({ name }: Sample) => (Object.hasOwn(names, name) ? names[name] : name);
    return (batch) => ({
      ...batch,
      samples: batch.samples.map((sample) => {
        const name = nameOf(sample) ?? sample.name;
        return name === sample.name ? sample : { ...sample, name };
      }),
    });
  },
);
