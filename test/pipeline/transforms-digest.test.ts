import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prometheus } from "../../plugins/prometheus.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { type Config, defineTransform, filter, label, mlflow, rename, v } from "../../src/index.ts";
import { transformsDigest } from "../../src/pipeline/transforms-digest.ts";

function digest(transforms: Config["transforms"], code = "one"): string {
  const config = { sources: [mlflow({})], sinks: [prometheus()], transforms: transforms ?? [] };
  return transformsDigest(resolveConfig(config, { origin: "test", secrets: "warn" }), code);
}

describe("transformsDigest()", () => {
  it("is equal for equal transforms in equal order, and empty for none", () => {
    const equal = () => [label({ a: "1", b: "2" }), filter(({ step }) => step > 1)];
    assert.equal(digest(equal()), digest([label({ b: "2", a: "1" }), ...equal().slice(1)]));
    assert.notEqual(digest(equal()), digest(equal().toReversed()));
    assert.notEqual(digest([label({ env: "dev" })]), digest([label({ env: "prod" })]));
    assert.notEqual(digest([filter(({ step }) => step > 1)]), digest([filter(({ step }) => step > 2)]));
    assert.equal(digest([]), "");
  });

  it("hangs on the files only for what cannot be seen: functions, and transforms of one's own", () => {
    const mine = defineTransform("mine", v.strictObject({}), () => (batch) => batch);
    assert.equal(digest([rename({ a: "b" })], "one"), digest([rename({ a: "b" })], "two"));
    assert.notEqual(digest([filter(() => true)], "one"), digest([filter(() => true)], "two"));
    assert.notEqual(digest([mine()], "one"), digest([mine()], "two"));
  });
});
