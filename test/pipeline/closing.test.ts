import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closingAll } from "../../src/pipeline/closing.ts";

describe("closingAll()", () => {
  it("ends every part, the last first, though one cannot be ended", async () => {
    const ended: string[] = [];
    const work = closingAll(async (opened) => {
      opened.push(() => void ended.push("folder"));
      opened.push(() => Promise.reject(new Error("the sink does not close")));
      opened.push(() => void ended.push("server"));
    });
    await assert.rejects(work, /does not close/);
    assert.deepEqual(ended, ["server", "folder"]);
  });

  it("throws what the work has thrown, not what its end has", async () => {
    const work = closingAll(async (opened) => {
      opened.push(() => Promise.reject(new Error("the sink does not close")));
      throw new Error("port in use");
    });
    await assert.rejects(work, /port in use/);
  });
});
