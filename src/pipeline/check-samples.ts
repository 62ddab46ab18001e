import type { Batch } from "../model/batch.ts";
import { WorkError } from "../model/errors.ts";
import type { Sample } from "../model/sample.ts";

/**
 * Refuses what a user's JavaScript may give though the types forbid it, before it reaches the journal: throws a
 * `WorkError` that names the giver, such as `the transform "rename"`. Called once a batch for its source and once for
 * each transform.
 */
export function checkBatch(batch: Batch | undefined, giver: string): void {
  checkSamples(batch?.samples, giver);
  if (batch?.restored !== undefined) checkSamples(batch.restored, giver);
  if (!Array.isArray(batch?.ended))
    throw new WorkError(`Cannot use what ${giver} gave: a batch needs a list of ended runs`);
}

/** The same for its samples. */
export function checkSamples(samples: readonly Sample[] | undefined, giver: string): void {
  if (!Array.isArray(samples)) throw new WorkError(`Cannot use what ${giver} gave: a batch needs a list of samples`);
  let labels: Sample["labels"];
  for (const sample of samples) {
    if (!hasValues(sample)) throw refusal(giver, mistake(sample));
    if (sample.labels === labels || sample.labels === undefined) continue;
    labels = sample.labels;
    const wrong = Object.entries(sample.labels).find(([, value]) => typeof value !== "string");
    if (wrong) throw refusal(giver, `the label "${wrong[0]}" must be a text: found ${show(wrong[1])}`);
  }
}

/** Without a list or a closure: a million samples take some ms. */
function hasValues(sample: Sample): boolean {
  return (
    typeof sample?.name === "string" &&
    sample.name !== "" &&
    typeof sample.value === "number" &&
    typeof sample.time === "number" &&
    typeof sample.step === "number"
  );
}

function mistake(sample: Sample): string {
  if (typeof sample !== "object" || sample === null) return `it must be an object: found ${show(sample)}`;
  const { name, value, time, step } = sample;
  if (typeof name !== "string" || name === "") return `its name must be a text: found ${show(name)}`;
  const [wrong = "value", found] = Object.entries({ value, time, step }).find(([, at]) => typeof at !== "number") ?? [];
  return `the ${wrong} of "${name}" must be a number: found ${show(found)}`;
}

function refusal(giver: string, why: string): WorkError {
  return new WorkError(`Cannot use a sample that ${giver} gave: ${why}`);
}

function show(value: unknown): string {
  return typeof value === "string"
    ? `"${value.slice(0, 80)}"`
    : typeof value === "object"
      ? "an object"
      : String(value);
}
