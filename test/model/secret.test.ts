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

  it("masks credentials without their scheme, whole and escaped", () => {
    const header = Secret.reveal(secret.basic("ada", secret.literal("p", "hunter2>?~~~~")));
    const encoded = header.slice("Basic ".length);
    assert.match(encoded, /[+/=]/);
    assert.equal(maskSecrets(`401: no ${encoded}, or ${header}`), "401: no <secret>, or <secret>");
    assert.equal(maskSecrets(`?q=${encodeURIComponent(encoded)}&`), "?q=<secret>&");
    const bearer = Secret.reveal(secret.bearer(secret.literal("t", "token of ada")));
    assert.equal(maskSecrets(`${bearer.slice("Bearer ".length)}|${bearer}`), "<secret>|<secret>");
  });

  it("masks a secret as JSON and addresses write it", () => {
    const word = Secret.reveal(secret.literal("w", 'pa"ss/wo+rd\\'));
    assert.equal(maskSecrets(JSON.stringify({ echoed: `say ${word}!` })), '{"echoed":"say <secret>!"}');
    assert.equal(maskSecrets(`?k=${encodeURIComponent(word)}&l=1`), "?k=<secret>&l=1");
  });
});
