import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { activateSink } from "../../src/delivery/activate.ts";
import { createDropOrders } from "../../src/delivery/drop-orders.ts";
import { runPointsWorker } from "../../src/delivery/points-worker.ts";
import { createSender } from "../../src/delivery/send.ts";
import { defineSink, v } from "../../src/index.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { silentLog } from "../../src/model/log.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";

const owner = "sink/own";

/** Ten samples that wait for a sink, and for another one that is away. */
async function open() {
  const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
  for (const consumer of [owner, "sink/other"]) await journal.commit(consumer, 0);
  await journal.append({ batch: makeBatch(makeSamples(10)) });
  const delivered: number[] = [];
  const define = defineSink("own", v.strictObject({}), () => ({
    render: ({ samples }) => [samples.map(({ step }) => step)],
    async deliver(request: readonly number[]) {
      delivered.push(...request);
      return { kind: "delivered" };
    },
  }));
  const prepared = define().prepare();
  if (!prepared.ok) throw new Error("refused");
  const resolved = { id: "own", type: "own", options: {}, host: {}, create: prepared.create };
  const sink = activateSink(resolved, { send: createSender({ version: "test" }), now: Date.now });
  const orders = createDropOrders();
  const { signal } = new AbortController();
  const ctx = { log: silentLog, now: Date.now, signal, state: journal.state(owner), ownMetrics: async () => "" };
  const common = { sink, journal, ctx, log: silentLog, signal, inputEnded: AbortSignal.abort(), once: true };
  return { journal, orders, delivered, work: () => runPointsWorker({ ...common, orders }) };
}

/** Removes the sink and gives it a place again, at the beginning. */
async function comeBack({ journal }: Awaited<ReturnType<typeof open>>): Promise<void> {
  await journal.forget(owner, {});
  await journal.commit(owner, 0);
}

describe("an order to drop what waits", () => {
  it("is carried out once, though the sink comes back to where it was", async () => {
    const bench = await open();
    bench.orders.give("own", bench.journal.end());
    await bench.work();
    assert.deepEqual(bench.delivered, []);
    await comeBack(bench);
    await bench.work();
    assert.equal(bench.delivered.length, 10);
    await bench.journal.close();
  });

  it("is forgotten when the sink has delivered what it was of", async () => {
    const bench = await open();
    await bench.work();
    bench.orders.give("own", bench.journal.end());
    await bench.work();
    await comeBack(bench);
    await bench.work();
    assert.equal(bench.delivered.length, 20);
    await bench.journal.close();
  });

  it("goes with a sink that is removed before it was carried out", async () => {
    const bench = await open();
    bench.orders.give("own", bench.journal.end());
    bench.orders.keep(["other"]);
    await comeBack(bench);
    await bench.work();
    assert.equal(bench.delivered.length, 10);
    await bench.journal.close();
  });
});
