import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loginOf } from "../../src/model/login.ts";
import { maskSecrets, Secret } from "../../src/model/secret.ts";

const sent = (address: string) => {
  const login = loginOf(new URL(address));
  return login && Buffer.from(Secret.reveal(login).replace(/^Basic /, ""), "base64").toString();
};

describe("loginOf()", () => {
  it("takes user and password, decoded, and masks the password", () => {
    assert.equal(sent("https://ada:p%40ss-of-ada@host/"), "ada:p@ss-of-ada");
    assert.equal(maskSecrets("ada is not p@ss-of-ada, nor p%40ss-of-ada"), "ada is not <secret>, nor <secret>");
    assert.equal(String(loginOf(new URL("https://ada:word@host/"))), "Basic <secret password in the address>");
    assert.equal(loginOf(new URL("https://host/")), undefined);
  });

  it("treats a user without a password as a secret", () => {
    assert.equal(sent("https://glpat-4f%2Fx@host/"), "glpat-4f/x:");
    assert.equal(String(loginOf(new URL("https://glpat-4f@host/"))), "Basic <secret user in the address>");
    assert.equal(maskSecrets("401: glpat-4f/x"), "401: <secret>");
    assert.equal(maskSecrets(`401: ${btoa("glpat-4f/x:")}`), "401: <secret>");
  });

  it("takes what is not encoded well as it stands", () => {
    assert.equal(sent("https://100%:half%of@host/"), "100%:half%of");
  });
});
