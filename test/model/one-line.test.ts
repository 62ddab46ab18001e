import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { oneLine, withoutOrders } from "../../src/model/one-line.ts";

describe("withoutOrders()", () => {
  it("shows what would move a terminal, in either of its two forms, and leaves everything else", () => {
    assert.equal(withoutOrders("a\u001b[2Jb\u009b2Jc\u0000\u007f"), "a\\u001b[2Jb\\u009b2Jc\\u0000\\u007f");
    assert.equal(withoutOrders("ä\n\t📉 指标"), "ä\n\t📉 指标");
  });
});

describe("oneLine()", () => {
  it("leaves no line end and no order", () => {
    assert.equal(oneLine("a\r\nb\u001b[2Jc\u009bd"), "a b [2Jc d");
  });
});
