import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { defineHttpSink, defineSink, type HttpSink, type Outcome, v } from "../../src/index.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";
import { type Bench, openBench } from "./world.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const render = (receiver: Receiver): HttpSink["render"] => {
  return ({ samples }) => [{ method: "POST", url: receiver.url, body: samples.map(({ step }) => step).join() }];
};

/** A sink over HTTP whose parts may be broken, at a receiver that takes everything. */
async function open(make: (receiver: Receiver) => HttpSink, host?: Parameters<typeof openBench>[1]) {
  const receiver = await startReceiver();
  const define = defineHttpSink("broken", v.strictObject({}), () => make(receiver));
  const bench: Bench = await openBench(define(), host);
  opened.push({ close: () => receiver.stop() }, bench);
  return { receiver, bench, steps: () => receiver.stored().join().split(",").map(Number) };
}

/** What a plugin in JavaScript may return, which the compiler would refuse. */
function untyped<T>(value: unknown): T {
  return JSON.parse(JSON.stringify({ value })).value;
}

/** What JavaScript would take for true. */
const asyncMatch: () => boolean = JSON.parse("[0]", () => async () => false);

describe("a plugin with a bug", () => {
  it("loses only the sample for which its match throws", async () => {
    function match({ step }: { step: number }): boolean {
      if (step === 3) throw new Error("no 3");
      return true;
    }
    const { bench, steps } = await open((receiver) => ({ render: render(receiver) }), { match });
    await bench.deliver([makeBatch(makeSamples(6))]);
    assert.deepEqual(steps(), [0, 1, 2, 4, 5]);
    assert.deepEqual(bench.counts(), { delivered: 5, "refused plugin_error": 1 });
    assert.match(bench.errors.join(), /no 3/);
  });

  it("delivers nothing by a match that is async, and says why", async () => {
    const { bench } = await open((receiver) => ({ render: render(receiver) }), { match: asyncMatch });
    await bench.deliver([makeBatch(makeSamples(2))]);
    assert.deepEqual(bench.counts(), { "refused plugin_error": 2 });
    assert.match(bench.errors.join(), /returned a promise/);
  });

  it("loses only the sample for which its refuse throws", async () => {
    const { bench } = await open((receiver) => ({
      render: render(receiver),
      refuse({ step }) {
        if (step === 3) throw new Error("no 3");
        return undefined;
      },
    }));
    await bench.deliver([makeBatch(makeSamples(6))]);
    assert.deepEqual(bench.counts(), { delivered: 5, "refused plugin_error": 1 });
  });

  it("buries only the sample for which its deliver throws, and says so once", async () => {
    const stored: number[] = [];
    const define = defineSink("own", v.strictObject({}), () => ({
      render: ({ samples }) => [samples.map(({ step }) => step)],
      async deliver(steps: number[]): Promise<Outcome> {
        if (steps.includes(5)) throw new Error("cannot do 5");
        stored.push(...steps);
        return { kind: "delivered" };
      },
    }));
    const bench = await openBench(define());
    opened.push(bench);
    await bench.deliver([makeBatch(makeSamples(16))]);
    assert.deepEqual(
      stored,
      makeSamples(16)
        .map(({ step }) => step)
        .filter((step) => step !== 5),
    );
    assert.deepEqual(bench.counts(), { delivered: 15, "dead plugin_error": 1 });
    assert.equal(bench.errors.length, 1);
    assert.match(bench.errors[0] ?? "", /own.*cannot do 5/);
  });

  for (const junk of [undefined, null, 7, {}, { kind: "done" }]) {
    it(`does not stop mlmon when its classify returns ${JSON.stringify(junk)}`, async () => {
      const { bench } = await open((receiver) => ({ render: render(receiver), classify: () => untyped(junk) }));
      await bench.deliver([makeBatch(makeSamples(4))]);
      assert.deepEqual(bench.counts(), { "dead plugin_error": 4 });
    });
  }

  it("backs off though it makes no number of the time to wait", async () => {
    let attempts = 0;
    const { bench } = await open((receiver) => ({
      render: render(receiver),
      classify: () =>
        attempts++ < 3 ? { kind: "retry", reason: "busy", afterMs: Number("soon") } : { kind: "delivered" },
    }));
    await bench.deliver([makeBatch(makeSamples(1))]);
    assert.deepEqual(bench.waits, [500, 1000, 2000]);
    assert.deepEqual(bench.counts(), { delivered: 1 });
  });

  it("does not stop mlmon when its render returns no list", async () => {
    const { bench } = await open(() => ({ render: () => untyped(undefined) }));
    await bench.deliver([makeBatch(makeSamples(4))]);
    assert.deepEqual(bench.counts(), { "dead plugin_error": 4 });
  });

  for (const change of [
    { url: "no address" },
    { url: "ftp://localhost/" },
    { headers: { "bad name": "x" } },
    { headers: { x: "a\nb" } },
    { method: untyped<"POST">("PO ST") },
    { method: "GET", body: "x" } as const,
    { method: untyped<"POST">(undefined) },
    { body: untyped<string>({ a: 1 }) },
    { headers: untyped<Record<string, string>>("x: y") },
  ]) {
    it(`is not tried for ever with a request of ${JSON.stringify(change)}`, async () => {
      const { bench, receiver } = await open(({ url }) => ({
        render: () => [{ method: "POST", url, ...change }],
      }));
      await bench.deliver([makeBatch(makeSamples(2))]);
      assert.deepEqual(bench.counts(), { "dead plugin_error": 2 });
      assert.equal(receiver.received.length, 0);
      assert.deepEqual(bench.waits, []);
    });
  }

  it("counts samples that it renders nothing of as refused", async () => {
    const { bench } = await open(() => ({ render: () => [] }));
    await bench.deliver([makeBatch(makeSamples(3))]);
    assert.deepEqual(bench.counts(), { "refused not_rendered": 3 });
  });
});
