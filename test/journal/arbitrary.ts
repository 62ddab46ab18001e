import fc from "fast-check";
import type { Batch, EndedRun } from "../../src/model/batch.ts";
import type { Run } from "../../src/model/run.ts";
import type { Sample } from "../../src/model/sample.ts";
import { makeRun } from "./make.ts";

const anyNumber = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -0, 0));
const anyText = fc.string({ unit: "grapheme", maxLength: 8 });
const anyLabels = fc.array(fc.tuple(anyText, anyText), { maxLength: 3 }).map((pairs) => {
  const labels: Record<string, string> = {};
  for (const [name, value] of pairs) if (name !== "__proto__") labels[name] = value;
  return labels;
});

const runs: readonly Run[] = [
  makeRun("a"),
  makeRun("b", { endTime: 7, status: "failed", tags: { "": "ü\u0000\u{1F600}" }, params: {} }),
  makeRun("c", { experiment: { id: "2", name: 'quo"ted' }, startTime: 0 }),
];
const anyRun = fc.constantFrom(...runs);

/** Samples in any order, with and without run and labels. */
const anySample: fc.Arbitrary<Sample> = fc
  .record({
    name: fc.oneof(fc.constantFrom("loss", "val/loss"), anyText),
    value: anyNumber,
    time: anyNumber,
    step: anyNumber,
    run: fc.option(anyRun, { nil: undefined }),
    labels: fc.option(anyLabels, { nil: undefined }),
  })
  .map(({ run, labels, ...sample }) => ({ ...sample, ...(run && { run }), ...(labels && { labels }) }));

const anyEnded: fc.Arbitrary<EndedRun> = fc
  .tuple(anyRun, fc.constantFrom(undefined, true, false))
  .map(([run, deleted]) => (deleted === undefined ? run : { ...run, deleted }));

/** Any batch, an empty one too. */
export const anyBatch: fc.Arbitrary<Batch> = fc
  .record({
    time: fc.integer({ min: 0 }),
    samples: fc.array(anySample, { maxLength: 12, size: "max" }),
    ended: fc.array(anyEnded, { maxLength: 2 }),
    runs: fc.option(fc.array(anyRun, { maxLength: 2 }), { nil: undefined }),
    facts: fc.option(fc.array(anySample, { maxLength: 2 }), { nil: undefined }),
    restored: fc.option(fc.array(anySample, { maxLength: 2 }), { nil: undefined }),
    source: fc.option(fc.constantFrom("mlflow", ""), { nil: undefined }),
    group: fc.option(fc.constantFrom("g", ""), { nil: undefined }),
  })
  .map(({ runs, restored, facts, source, group, ...batch }) => ({
    ...batch,
    ...(runs && { runs }),
    ...(restored && { restored }),
    ...(facts && { facts }),
    ...(source !== undefined && { source }),
    ...(group !== undefined && { group }),
  }));
