import * as v from "valibot";
import { defineTransform } from "../model/define.ts";
import type { Sample } from "../model/sample.ts";
import { functionOption } from "./function-option.ts";

type Labels = Readonly<Record<string, string | undefined>>;

/**
 * Adds labels to every sample: the same for all, or those that a function of the sample returns, where undefined adds
 * nothing. In Prometheus they are labels, in Pramathus they go with the tags.
 *
 * @example label({ team: "vision" })
 * @example label((sample) => ({ team: sample.run?.tags.team }))
 */
export const label = defineTransform(
  "label",
  v.union(
    [v.record(v.string(), v.string()), functionOption<(sample: Sample) => Labels>()],
    "a table of labels, or a function",
  ),
  (labels) => {
    const labelsOf: (sample: Sample) => Labels = typeof labels === "function" ? labels : () => labels;
    return (batch) => ({
      ...batch,
      samples: batch.samples.map((sample) => ({ ...sample, labels: merged(sample.labels, labelsOf(sample)) })),
    });
  },
);

function merged(before: Sample["labels"], added: Labels): Record<string, string> {
  const all = { ...before };
  for (const [name, value] of Object.entries(added)) if (value !== undefined) all[name] = value;
  return all;
}
