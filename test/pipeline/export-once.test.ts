import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { type defineConfig, defineHttpSink, defineSink, defineSource, filter, label, v } from "../../src/index.ts";
import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Batch } from "../../src/model/batch.ts";
import { WorkError } from "../../src/model/errors.ts";
import { silentLog } from "../../src/model/log.ts";
import { placeNew } from "../../src/pipeline/consumers.ts";
import { exportOnce } from "../../src/pipeline/export-once.ts";
import { temporaryFolder } from "../beds/wait.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun, makeSamples, takenRows } from "../fixtures/samples.ts";

const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

const run = makeRun({ startTime: Date.now() });

/** A source that gives these batches, then throws when it is told to. */
function give(batches: readonly Batch[], failure?: Error) {
  return defineSource("given", v.strictObject({}), () => ({
    async *read() {
      yield* batches;
      if (failure) throw failure;
    },
  }))();
}

async function open(script: Parameters<typeof startReceiver>[0] = []) {
  const receiver = await startReceiver(script);
  receivers.push(receiver);
  return receiver;
}

function start(
  config: Parameters<typeof defineConfig>[0],
  giveUpMs = 5000,
  change: Partial<Parameters<typeof exportOnce>[0]> = {},
) {
  return exportOnce({
    config: resolveConfig(config, { origin: "test", secrets: "required" }),
    log: silentLog,
    signal: new AbortController().signal,
    stateDir: undefined,
    giveUpMs,
    ...change,
  });
}

describe("exportOnce()", () => {
  it("pushes the latest values of the transforms at work, also those it has read before", async () => {
    await using folder = await temporaryFolder();
    const gateway = await open();
    const shelf = defineSource("shelf", v.strictObject({}), () => ({
      rereads: true,
      async *read({ state }) {
        if (state.get("read") !== undefined) return;
        state.set("read", "");
        yield makeBatch(makeSamples(3, { run }), { runs: [run] });
      },
    }));
    const push = (env: string) =>
      start(
        {
          sources: [shelf()],
          transforms: [label({ env })],
          sinks: [pushgateway({ endpoint: gateway.url })],
        },
        5000,
        { stateDir: folder.path },
      );
    await push("dev");
    const result = await push("prod");
    assert.equal(result.read, 0);
    assert.match(gateway.stored().at(-1) ?? "", /mlflow_loss\{.*env="prod"/);
    assert.doesNotMatch(gateway.stored().at(-1) ?? "", /env="dev"/);
    const pushes = gateway.stored().length;
    await push("prod");
    assert.ok(
      gateway
        .stored()
        .slice(pushes)
        .every((body) => body.includes('env="prod"')),
    );
  });

  it("adds up: read = filtered + delivered + dead letters + waiting", async () => {
    const receiver = await open((body) => (body.includes('"step":7,') ? { status: 400 } : undefined));
    const batches = [makeBatch(makeSamples(20, { run }), { runs: [run] })];
    const result = await start({
      sources: [give(batches)],
      transforms: [filter(({ step }) => step < 15)],
      sinks: [pramathus({ endpoint: receiver.url })],
    });
    const [sink] = result.sinks;
    assert.deepEqual([result.read, result.filtered], [20, 5]);
    assert.deepEqual(sink && [sink.delivered, sink.deadLetters, sink.waiting], [14, 1, 0]);
  });

  it("gives up a sink without progress, counts what is left, and delivers to the others", async () => {
    const [dead, alive] = [await open(() => ({ status: 503 })), await open()];
    const result = await start(
      {
        sources: [give([makeBatch(makeSamples(10, { run }))])],
        sinks: [pramathus({ endpoint: dead.url }), pramathus({ endpoint: alive.url }, { id: "alive" })],
      },
      300,
    );
    assert.deepEqual(
      result.sinks.map(({ id, delivered, waiting }) => [id, delivered, waiting]),
      [
        ["pramathus", 0, 10],
        ["alive", 10, 0],
      ],
    );
    assert.match(result.sinks[0]?.error ?? "", /503/);
  });

  it("says of a receiver that takes a request and is silent why it was given up", async () => {
    const silent = await open(() => "hang");
    const result = await start(
      {
        sources: [give([makeBatch(makeSamples(10, { run }))])],
        sinks: [pramathus({ endpoint: silent.url })],
      },
      300,
    );
    assert.deepEqual(result.sinks, [
      { id: "pramathus", delivered: 0, deadLetters: 0, waiting: 10, error: "no answer within 0.3 s" },
    ]);
  });

  it("ends though the journal runs full only after a sink was given up", async () => {
    const [dead, alive] = [await open(() => ({ status: 503 })), await open()];
    const trickling = defineSource("trickling", v.strictObject({}), () => ({
      async *read({ signal }) {
        for (let step = 0; !signal.aborted; step++) {
          yield makeBatch(makeSamples(10, { run, step }));
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
    }));
    const result = await start(
      {
        sources: [trickling()],
        sinks: [pramathus({ endpoint: dead.url }), pramathus({ endpoint: alive.url }, { id: "alive" })],
        journal: { maxBytes: 150_000 },
      },
      1000,
    );
    const [lost, kept] = result.sinks;
    assert.ok(lost && lost.waiting > 0 && lost.delivered === 0, JSON.stringify(lost));
    assert.deepEqual(kept && [kept.delivered, kept.waiting], [result.read, 0]);
  });

  it("is not held up by the place that the scrape page has in the journal of a service", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "journal.db");
    const receiver = await open();
    const before = await openJournal({ path, maxBytes: 1e9 });
    await before.append({
      batch: makeBatch(makeSamples(100, { run })),
      ledger: takenRows("given", 100),
    });
    for (const consumer of ["sink/prometheus", "sink/pramathus"]) await before.commit(consumer, 0);
    await before.close();
    const sources = [give([100, 200].map((step) => makeBatch(makeSamples(100, { run, step }))))];
    const sinks = [prometheus(), pramathus({ endpoint: receiver.url })];
    const stop = AbortSignal.timeout(10_000);
    const config = { sources, sinks, journal: { maxBytes: 3000 } };
    const result = await start(config, 60_000, { stateDir: folder.path, signal: stop });
    assert.equal(stop.aborted, false, "it ends by itself");
    assert.deepEqual(
      result.sinks.map(({ id, delivered, waiting }) => [id, delivered, waiting]),
      [["pramathus", 300, 0]],
    );
    const after = await openJournal({ path, maxBytes: 1e9 });
    await placeNew(after, [{ id: "prometheus", catchesUp: false }]);
    assert.deepEqual(auditLedger(after), []);
    await after.close();
  });

  it("gives no sink up because the clock was set forward", async () => {
    let ahead = 0;
    const steps: number[] = [];
    const slow = defineSink("slow", v.strictObject({}), () => ({
      render: ({ samples }) => [samples.length],
      async deliver(count: number) {
        ahead = 3_600_000;
        // Longer than the time between two looks at the progress.
        await new Promise((resolve) => setTimeout(resolve, 700));
        steps.push(count);
        return { kind: "delivered" };
      },
    }));
    const sources = [give([makeBatch(makeSamples(10, { run }))])];
    const result = await start({ sources, sinks: [slow()] }, 60_000, { now: () => Date.now() + ahead });
    assert.deepEqual(steps, [10]);
    assert.equal(result.sinks[0]?.waiting, 0);
  });

  it("gives no sink up that refuses everything, as each refusal is an end", async () => {
    const receiver = await open(() => ({ status: 422 }));
    const slowly = defineHttpSink("slowly", v.strictObject({}), () => ({
      render: ({ samples }) => [{ method: "POST", url: receiver.url, body: String(samples.length) }],
      async classify() {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { kind: "rejected", reason: "none is good" };
      },
    }));
    const result = await start(
      {
        sources: [give([makeBatch(makeSamples(20, { run }))])],
        sinks: [slowly({}, { batch: { size: 1 } })],
      },
      300,
    );
    assert.deepEqual(result.sinks[0] && [result.sinks[0].deadLetters, result.sinks[0].waiting], [20, 0]);
  });

  it("delivers the points it has and pushes no half view when the source fails", async () => {
    const [points, gateway] = [await open(), await open()];
    const failing = give([makeBatch(makeSamples(3, { run }), { runs: [run] })], new WorkError("MLflow is away"));
    const sinks = [pramathus({ endpoint: points.url }), pushgateway({ endpoint: gateway.url })];
    await assert.rejects(start({ sources: [failing], sinks }), /MLflow is away/);
    assert.equal(points.stored().length, 1);
    assert.deepEqual(gateway.received, []);
  });

  it("names the source of a user's that throws, which is no bug of mlmon's", async () => {
    const failing = give([], new TypeError("it answered with nonsense"));
    const message = 'The source "given" has failed: it answered with nonsense';
    await assert.rejects(start({ sources: [failing], sinks: [pramathus({ endpoint: "http://localhost:1" })] }), {
      constructor: WorkError,
      message,
    });
  });
});
