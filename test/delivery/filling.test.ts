import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { runPointsWorker } from "../../src/delivery/points-worker.ts";
import type { DeliveryWorld } from "../../src/delivery/settle.ts";
import { defineSink, type Outcome, v } from "../../src/index.ts";
import { silentLog } from "../../src/model/log.ts";
import { until } from "../beds/wait.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";
import { openBench } from "./world.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

interface Filling {
  readonly once?: boolean;
  readonly intervalMs?: number;
  readonly maxBytes?: number;
}

/** A worker with slices of ten samples at an empty journal; its clock stands still, and no wait ends by itself. */
async function start({ once = false, intervalMs = 0, maxBytes = 1e9 }: Filling) {
  const slices: number[] = [];
  const define = defineSink("own", v.strictObject({}), () => ({
    render: ({ samples }) => [samples.length],
    async deliver(count: number): Promise<Outcome> {
      slices.push(count);
      return { kind: "delivered" };
    },
  }));
  const { sink, journal, ...bench } = await openBench(
    define(),
    { batch: { size: 10, interval: intervalMs } },
    maxBytes,
  );
  const stop = new AbortController();
  const ended = new AbortController();
  const ctx = {
    log: silentLog,
    now: () => makeBatch([]).time,
    signal: stop.signal,
    state: journal.state("sink/own"),
    ownMetrics: async () => "",
  };
  const waits: number[] = [];
  const world: DeliveryWorld = {
    ctx,
    log: silentLog,
    random: () => 0,
    wait(ms, signal) {
      waits.push(ms);
      return new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
  const common = { sink, journal, ctx, log: silentLog, signal: stop.signal, inputEnded: ended.signal };
  const worker = runPointsWorker({ ...common, once, world });
  opened.push(bench.close, async () => {
    stop.abort();
    await worker;
  });
  const append = (count: number) => journal.append({ batch: makeBatch(makeSamples(count)) });
  return { slices, waits, journal, append, ended, worker };
}

describe("a slice", () => {
  it("goes as soon as there is a sample when there is no interval", async () => {
    const { slices, append } = await start({});
    await append(1);
    await until(() => slices.length === 1);
  });

  it("goes before the interval is over when it is full, and its rest waits", async () => {
    const { slices, waits, append } = await start({ intervalMs: 3_600_000 });
    await append(4);
    await until(() => waits.length === 1);
    await append(8);
    await until(() => slices.length === 1 && waits.length >= 2);
    assert.deepEqual(slices, [10]);
    assert.equal(waits[0], 3_600_000);
  });

  it("does not wait when the clock was set back after its samples were read", async () => {
    const { slices, journal } = await start({ intervalMs: 1000 });
    const batch = makeBatch(makeSamples(4));
    await journal.append({ batch: { ...batch, time: batch.time + 3_600_000 } });
    await until(() => slices.length === 1);
  });

  it("goes as it is when the input ends amid the interval", async () => {
    const { slices, waits, append, ended, worker } = await start({ intervalMs: 3_600_000 });
    await append(4);
    await until(() => waits.length === 1);
    ended.abort();
    await worker;
    assert.deepEqual(slices, [4]);
  });

  it("waits for the end of the input when all is read once, whatever the batches are", async () => {
    const { slices, append, ended, worker } = await start({ once: true });
    for (const count of [3, 4, 5, 6, 7]) await append(count);
    await until(() => slices.length === 2);
    ended.abort();
    await worker;
    assert.deepEqual(slices, [10, 10, 5]);
  });

  it("goes unfilled when it alone keeps the journal full, for else nothing would ever be read again", async () => {
    const { slices, journal, append } = await start({ once: true, maxBytes: 50 });
    await append(4);
    await until(() => slices.length === 1);
    assert.deepEqual(slices, [4]);
    assert.equal(journal.size().full, false);
  });

  it("waits while another sink keeps the journal full, so that its bytes do not depend on timing", async () => {
    const { slices, journal, append, ended, worker } = await start({ once: true, maxBytes: 50 });
    await journal.commit("sink/other", journal.position("sink/other"));
    await append(12);
    await until(() => slices.length === 1);
    await append(3);
    ended.abort();
    await worker;
    assert.deepEqual(slices, [10, 5]);
  });
});
