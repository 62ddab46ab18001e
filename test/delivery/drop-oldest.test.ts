import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pramathus } from "../../plugins/pramathus.ts";
import { runPointsWorker } from "../../src/delivery/points-worker.ts";
import { type DeliveryWorld, deliveryWorld } from "../../src/delivery/settle.ts";
import { auditLedger } from "../../src/journal/audit.ts";
import { silentLog } from "../../src/model/log.ts";
import type { CheckedSinkOptions } from "../../src/model/sink-options.ts";
import { until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";
import { openBench } from "./world.ts";

const opened: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** A batch of ten samples is about 600 bytes. */
const maxBytes = 6000;

interface OpenOptions {
  readonly yields?: (consumer: string) => boolean;
  readonly status?: number;
  readonly once?: boolean;
}

/** A receiver that is away until it is healed, a sink that drops, and its worker at work. */
async function open(host: CheckedSinkOptions, { yields, status = 503, once = false }: OpenOptions = {}) {
  const ill = { is: true };
  const receiver = await startReceiver(() => ({ status: ill.is ? status : 200, headers: { "retry-after": "60" } }));
  const bench = await openBench(pramathus({ endpoint: receiver.url }), { batch: { size: 10 }, ...host }, maxBytes);
  const { journal, sink, stop } = bench;
  await journal.commit("sink/pramathus", 0);
  const errors: string[] = [];
  const log = {
    ...silentLog,
    error: (text: string, fields?: object) => void errors.push(`${text} ${JSON.stringify(fields)}`),
  };
  const ended = new AbortController();
  const ctx = { log, now: Date.now, signal: stop.signal, state: journal.state("x"), ownMetrics: async () => "" };
  const kept = { waits: 0 };
  const world: DeliveryWorld = {
    ...deliveryWorld(ctx, log),
    /** A hundred times as fast, and counts what was waited to the end. */
    async wait(ms, signal) {
      await sleep(ms / 100, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) kept.waits++;
    },
  };
  const start = () =>
    runPointsWorker({
      sink,
      journal,
      ctx,
      log,
      signal: stop.signal,
      inputEnded: ended.signal,
      once,
      world,
      ...(yields && { yields }),
    });
  const worker = start();
  opened.push({
    async close() {
      stop.abort();
      await worker;
      await receiver.stop();
      await bench.close();
    },
  });
  let step = 0;
  /** Reads as a source does: only while there is room. */
  async function append(): Promise<void> {
    await until(() => !journal.size().full, 1500, "room");
    const batch = makeBatch(makeSamples(10).map((sample, index) => ({ ...sample, step: step + index })));
    step += 10;
    await journal.append({ batch });
  }
  const steps = () =>
    receiver.stored().flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, n]) => Number(n)));
  return { ...bench, receiver, ill, append, steps, errors, kept };
}

describe("whenFull", () => {
  for (const status of [503, 401]) {
    it(`"drop-oldest" keeps the newest for a receiver that answers ${status}, counts the rest, and never stops reading`, async () => {
      const { append, journal, errors, ill, steps, counts, receiver, kept } = await open(
        { whenFull: "drop-oldest" },
        { status },
      );
      for (let index = 0; index < 40; index++) await append();
      const { samples: waiting } = journal.waiting(journal.position("sink/pramathus"));
      const dropped = counts()["dropped journal_full"] ?? 0;
      const mismatches = () => auditLedger(journal).filter((line) => line.startsWith("sink"));
      assert.ok(dropped >= 200 && dropped < 400, `${dropped}`);
      assert.equal(waiting + dropped, 400);
      assert.equal(errors.length, 1, errors.join("\n"));
      assert.match(errors[0] ?? "", /dropped .*"reason":"journal_full","example":"loss/);
      assert.deepEqual(mismatches(), []);
      // Dropping cuts no wait that the receiver has asked for.
      assert.ok(receiver.received.length <= kept.waits + 1, `${receiver.received.length} after ${kept.waits} waits`);
      ill.is = false;
      for (let index = 0; index < 20; index++) await append();
      await until(() => journal.position("sink/pramathus") === journal.end(), 10_000, "the end");
      const arrived = steps();
      assert.deepEqual(
        arrived,
        [...new Set(arrived)].toSorted((one, other) => one - other),
      );
      assert.equal(arrived.at(-1), 599);
      assert.equal(arrived.length, counts().delivered);
      assert.deepEqual(mismatches(), []);
    });
  }

  it('"drop-oldest" leaves the others their turn in an export, whose slices wait until they are full', async () => {
    const { append, journal, counts, sink } = await open(
      { whenFull: "drop-oldest", batch: { size: 25 } },
      { once: true },
    );
    for (let index = 0; index < 60; index++) {
      await append();
      // Between two of them the worker finds too little for a slice.
      if (index % 7 === 0) await until(() => sink.status.state !== "delivering", 1500, "an answer");
    }
    const { samples: waiting } = journal.waiting(journal.position("sink/pramathus"));
    assert.equal(waiting + (counts()["dropped journal_full"] ?? 0), 600);
  });

  it('"pause" drops nothing: reading waits', async () => {
    const { append, journal, counts } = await open({});
    await assert.rejects(async () => {
      for (;;) await append();
    }, /in vain for room/);
    assert.deepEqual(counts(), {});
    assert.equal(journal.waiting(0).samples, journal.stored());
  });

  it('"drop-oldest" drops nothing while another sink pauses at the same place', async () => {
    const { append, journal, counts } = await open({ whenFull: "drop-oldest" });
    await journal.commit("sink/other", 0);
    await assert.rejects(async () => {
      for (;;) await append();
    }, /in vain for room/);
    assert.deepEqual(counts(), {});
    await journal.commit("sink/other", journal.end());
    await until(() => !journal.size().full, 5000, "room");
    assert.ok((counts()["dropped journal_full"] ?? 0) > 0);
  });

  it('"drop-oldest" makes room beside another sink that yields, and beside one that is ahead', async () => {
    const { append, journal, counts } = await open(
      { whenFull: "drop-oldest" },
      { yields: (consumer) => consumer === "view" },
    );
    await journal.commit("view", 0);
    await append();
    for (let index = 0; index < 30; index++) {
      await append();
      // As the reading loop does, when the journal is full.
      if (journal.size().full) await journal.commit("view", journal.end());
    }
    assert.ok((counts()["dropped journal_full"] ?? 0) > 0);
  });
});
