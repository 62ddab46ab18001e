import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { knownSecrets, maskSecrets, maxSecrets, Secret, secret } from "../../src/model/secret.ts";

describe("maskSecrets()", () => {
  it("masks what was revealed lately, however often secrets are replaced, and holds a bounded number", () => {
    const kept = secret.literal("kept", "value-of-the-one-in-use");
    for (let index = 0; index < 2 * maxSecrets; index++) {
      Secret.reveal(secret.literal("renewed", `value-${index}-renewed`));
      if (index % 100 === 0) Secret.reveal(kept);
    }
    assert.equal(knownSecrets(), maxSecrets);
    const newest = `value-${2 * maxSecrets - 1}-renewed`;
    assert.equal(maskSecrets(`${newest} and value-of-the-one-in-use`), "<secret> and <secret>");
  });
});
