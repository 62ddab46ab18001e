import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSamples } from "../../src/pipeline/check-samples.ts";
import { makeSamples } from "../fixtures/samples.ts";

/** Calls it as a user's JavaScript may: with anything. */
function check(samples: unknown): unknown {
  return Reflect.apply(checkSamples, undefined, [samples, 'the transform "mine"']);
}

const [good] = makeSamples(1);

describe("checkSamples()", () => {
  it("takes what the types allow: NaN, infinities, labels", () => {
    check([good, { ...good, value: Number.NaN }, { ...good, value: Number.NEGATIVE_INFINITY, labels: { a: "1" } }]);
    check([]);
  });

  const wrong: readonly (readonly [samples: unknown, says: RegExp])[] = [
    [undefined, /^Cannot use what the transform "mine" gave: a batch needs a list of samples$/],
    [{}, /a batch needs a list/],
    [[null], /it must be an object: found an object|it must be an object: found null/],
    [[5], /it must be an object: found 5$/],
    [[{ ...good, name: 5 }], /^Cannot use a sample that the transform "mine" gave: its name must be a text: found 5$/],
    [[{ ...good, name: "" }], /its name must be a text: found ""$/],
    [[{ ...good, value: "1" }], /the value of "loss" must be a number: found "1"$/],
    [[{ ...good, time: undefined }], /the time of "loss" must be a number: found undefined$/],
    [[{ ...good, step: null }], /the step of "loss" must be a number/],
    [[good, { ...good, labels: { a: 5 } }], /the label "a" must be a text: found 5$/],
  ];
  for (const [samples, says] of wrong) {
    it(`refuses ${JSON.stringify(samples)?.slice(0, 60)}`, () => {
      assert.throws(() => check(samples), { name: "WorkError", message: says });
    });
  }
});
