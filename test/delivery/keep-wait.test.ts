import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DeliveryWorld, deliveryWorld, type Failures, keepWait } from "../../src/delivery/settle.ts";
import { silentLog } from "../../src/model/log.ts";
import type { State } from "../../src/model/state.ts";

const state: State = { get: () => undefined, set() {}, delete() {}, scan: () => [] };

/** Keeps the wait that is left, and returns the waits that this has asked for. */
async function kept(failures: Failures, now: number): Promise<readonly number[]> {
  const { signal } = new AbortController();
  const waits: number[] = [];
  const real = deliveryWorld({ log: silentLog, now: () => now, signal, state, ownMetrics: async () => "" }, silentLog);
  const world: DeliveryWorld = { ...real, wait: async (ms) => void waits.push(ms) };
  assert.equal(await keepWait(failures, world, signal), true);
  return waits;
}

describe("keepWait()", () => {
  const left = () => ({ inRow: 1, wait: { until: 10_000, ms: 3000 } });

  it("keeps what remains of a wait, and no more than all of it when the clock was set back", async () => {
    assert.deepEqual(await kept(left(), 9000), [1000]);
    assert.deepEqual(await kept(left(), 1000), [3000]);
  });

  it("waits for nothing once its time is over: the runtimes would warn of a negative number", async () => {
    assert.deepEqual(await kept(left(), 10_039), []);
    assert.deepEqual(await kept({ inRow: 0, wait: undefined }, 0), []);
  });
});
