import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { backoffMs } from "../../src/delivery/backoff.ts";

describe("backoffMs()", () => {
  it("never exceeds the cap nor the exponential bound", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.double({ min: 0, max: 0.999999, noNaN: true }), (attempt, chance) => {
        const ms = backoffMs(attempt, { baseMs: 1000, capMs: 60_000 }, () => chance);
        return ms >= 0 && ms <= 60_000 && ms <= 1000 * 2 ** Math.min(attempt, 32);
      }),
    );
  });

  it("grows with the attempts", () => {
    const waits = [0, 1, 2, 3].map((attempt) => backoffMs(attempt, { baseMs: 1000, capMs: 60_000 }, () => 0.5));
    assert.deepEqual(waits, [500, 1000, 2000, 4000]);
  });
});
