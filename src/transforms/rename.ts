import * as v from "valibot";
import { defineTransform } from "../model/define.ts";
import type { Sample } from "../model/sample.ts";
import { functionOption } from "./function-option.ts";
import { findMergedKeys } from "./merged-keys.ts";

/**
 * Gives metric keys another name: by a table of old and new names, or by a function of the sample. Keys of one run that
 * get one name become one series, of which it warns once a name.
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
    const targets = typeof names === "function" ? undefined : new Set(Object.values(names));
    const look = findMergedKeys();
    return (batch, { log }) => {
      let last: Sample | undefined;
      const samples = batch.samples.map((sample) => {
        const name = nameOf(sample) ?? sample.name;
        // Samples of one series come in a row.
        const isNew = sample.name !== last?.name || sample.run !== last.run || sample.labels !== last.labels;
        if (isNew && (targets?.has(name) ?? true)) look(sample, name, log);
        last = sample;
        return name === sample.name ? sample : { ...sample, name };
      });
      return { ...batch, samples };
    };
  },
);
