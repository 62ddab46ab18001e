import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepWait } from "../../src/delivery/settle.ts";
import { silentLog } from "../../src/model/log.ts";

describe("keepWait()", () => {
  const { signal } = new AbortController();
  const state = { get: () => undefined, set() {}, delete() {}, scan: () => [] };

  for (const [what, until, wanted] of [
    ["the rest of a wait that was cut", 1004, 4],
    ["nothing once its time is over, by which a timer would complain", 990, 0],
    ["no more than all of it where the clock was set back", 5000, 10],
  ] as const) {
    it(`waits ${what}`, async () => {
      const waits: number[] = [];
      const ctx = { log: silentLog, now: () => 1000, signal, state, ownMetrics: async () => "" };
      const wait = async (ms: number) => void waits.push(ms);
      const failures = { inRow: 1, wait: { until, ms: 10 } };
      assert.equal(await keepWait(failures, { ctx, log: silentLog, random: Math.random, wait }, signal), true);
      assert.deepEqual(waits, [wanted]);
      assert.equal(failures.wait, undefined);
    });
  }
});
