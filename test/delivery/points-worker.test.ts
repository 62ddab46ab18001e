import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { defineHttpSink, defineSink, secret, v } from "../../src/index.ts";
import { WorkError } from "../../src/model/errors.ts";
import { until } from "../beds/wait.ts";
import { type Act, type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";
import { type Bench, openBench } from "./world.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** A receiver with a script and a Pramathus sink of ten samples a request that delivers to it. */
async function open(script: Parameters<typeof startReceiver>[0]): Promise<{ bench: Bench; receiver: Receiver }> {
  const receiver = await startReceiver(script);
  const bench = await openBench(pramathus({ endpoint: `${receiver.url}/in` }), { batch: { size: 10 } });
  opened.push({ close: () => receiver.stop() }, bench);
  return { bench, receiver };
}

/** The steps of all samples that the receiver has stored, in order. */
function steps(receiver: Receiver): number[] {
  return receiver.stored().flatMap((body) => JSON.parse(body).metrics.map((metric: Metric) => metric.metadata.step));
}
interface Metric {
  readonly metadata: { readonly step: number };
}
const upTo = (count: number) => Array.from({ length: count }, (_, step) => step);
const answer = (status: number, headers = {}): Act => ({ status, headers, body: `answer ${status}` });

describe("the points worker", () => {
  it("delivers every sample once and in order, in full slices whatever the batches are", async () => {
    const { bench, receiver } = await open([]);
    const samples = makeSamples(25);
    await bench.deliver([
      makeBatch(samples.slice(0, 3)),
      makeBatch(samples.slice(3, 24)),
      makeBatch(samples.slice(24)),
    ]);
    assert.deepEqual(steps(receiver), upTo(25));
    assert.equal(receiver.received.length, 3);
    assert.deepEqual(bench.counts(), { delivered: 25 });
    assert.equal(bench.journal.waiting(bench.journal.position("sink/pramathus")).samples, 0);
  });

  for (const status of [408, 425, 429, 500, 502, 503, 504, 505, 401, 403, 404]) {
    it(`repeats the same bytes after ${status} until they are taken: lost 0, doubled 0, out of order 0`, async () => {
      const { bench, receiver } = await open([answer(status), answer(status), { status: 200 }, answer(status)]);
      await bench.deliver([makeBatch(makeSamples(20))]);
      assert.deepEqual(steps(receiver), upTo(20));
      assert.equal(receiver.received[0]?.body, receiver.received[2]?.body);
      assert.deepEqual(bench.counts(), { delivered: 20 });
      assert.equal(bench.waits.length, 3);
    });
  }

  it("waits as long as Retry-After says, 30 s when paused, else by the backoff", async () => {
    const { bench } = await open([answer(429, { "retry-after": "7" }), answer(401), answer(503), answer(503)]);
    await bench.deliver([makeBatch(makeSamples(1))]);
    assert.deepEqual(bench.waits, [7000, 30_000, 2000, 4000]);
  });

  for (const act of ["reset before", "reset amid"] as const) {
    it(`delivers everything after a connection that was ${act}`, async () => {
      const { bench, receiver } = await open([act, act]);
      await bench.deliver([makeBatch(makeSamples(15))]);
      assert.deepEqual(steps(receiver), upTo(15));
    });
  }

  it("sends a request again whose answer was lost: doubled by that request at most", async () => {
    const { bench, receiver } = await open(["reset after"]);
    await bench.deliver([makeBatch(makeSamples(15))]);
    assert.deepEqual(steps(receiver), [...upTo(10), ...upTo(15)]);
  });

  it("finds the one sample that is refused with 400, delivers the rest, and keeps the receiver's words", async () => {
    const { bench, receiver } = await open((body) =>
      body.includes('"step":13,') ? { status: 400, body: "odd step" } : undefined,
    );
    await bench.deliver([makeBatch(makeSamples(30))]);
    assert.deepEqual(
      steps(receiver),
      upTo(30).filter((step) => step !== 13),
    );
    assert.deepEqual(bench.counts(), { delivered: 29, "dead http_400": 1 });
    const [letter] = bench.journal.dead.page({}, 0, 10);
    assert.equal(letter?.reason, '400: the receiver says "odd step"');
    assert.deepEqual(
      letter?.batch.samples.map(({ step }) => step),
      [13],
    );
  });

  it("delivers the end of a run whose last sample is refused", async () => {
    const receiver = await startReceiver((body) => (body.includes("7") ? answer(400) : undefined));
    const both = defineHttpSink("both", v.strictObject({}), () => ({
      render: ({ samples, ended }) => [
        {
          method: "POST",
          url: receiver.url,
          body: `${samples.map(({ step }) => step)} ${ended.map(({ name }) => name)}`,
        },
      ],
    }));
    const bench = await openBench(both());
    opened.push({ close: () => receiver.stop() }, bench);
    await bench.deliver([makeBatch(makeSamples(8), { ended: [makeRun()] })]);
    assert.deepEqual(receiver.stored(), ["0,1,2,3 ", "4,5 ", "6 ", " resnet-01"]);
    assert.deepEqual(bench.counts(), { delivered: 7, "dead http_400": 1 });
  });

  it("makes every sample a dead letter when all are refused", async () => {
    const { bench } = await open(() => answer(422));
    await bench.deliver([makeBatch(makeSamples(12))]);
    assert.deepEqual(bench.counts(), { "dead http_422": 12 });
  });

  it("splits what is too large until it fits", async () => {
    const { bench, receiver } = await open((body) => (JSON.parse(body).metrics.length > 3 ? answer(413) : undefined));
    await bench.deliver([makeBatch(makeSamples(20))]);
    assert.deepEqual(steps(receiver), upTo(20));
    assert.deepEqual(bench.counts(), { delivered: 20 });
  });

  for (const status of [301, 307, 405, 415, 501]) {
    it(`makes a request that is answered ${status} a dead letter and goes on`, async () => {
      const { bench, receiver } = await open([answer(status)]);
      await bench.deliver([makeBatch(makeSamples(20))]);
      assert.deepEqual(steps(receiver), upTo(20).slice(10));
      assert.deepEqual(bench.counts(), { delivered: 10, [`dead http_${status}`]: 10 });
    });
  }

  it("counts what the sink is not to have and what it cannot carry", async () => {
    const receiver = await startReceiver();
    const entry = pramathus({ endpoint: receiver.url, nonFinite: "skip" });
    const bench = await openBench(entry, { match: ({ step }) => step < 5 });
    opened.push({ close: () => receiver.stop() }, bench);
    const samples = makeSamples(10).map((sample) => (sample.step === 2 ? { ...sample, value: Number.NaN } : sample));
    await bench.deliver([makeBatch(samples)]);
    assert.deepEqual(steps(receiver), [0, 1, 3, 4]);
    assert.deepEqual(bench.counts(), { delivered: 4, unmatched: 5, "refused not_finite": 1 });
  });

  it("isolates the offender when a sink renders one request a sample, without repeating the others", async () => {
    const receiver = await startReceiver((body) => (body === "7" ? answer(400) : undefined));
    const each = defineHttpSink("each", v.strictObject({}), () => ({
      render: ({ samples }) => samples.map(({ step }) => ({ method: "POST", url: receiver.url, body: String(step) })),
    }));
    const bench = await openBench(each());
    opened.push({ close: () => receiver.stop() }, bench);
    await bench.deliver([makeBatch(makeSamples(16))]);
    assert.deepEqual(
      receiver.stored(),
      upTo(16)
        .filter((step) => step !== 7)
        .map(String),
    );
    assert.deepEqual(bench.counts(), { delivered: 15, "dead http_400": 1 });
  });

  it("delivers equal requests of one slice as often as there are samples", async () => {
    const receiver = await startReceiver((body) => (body === "bad" ? answer(400) : undefined));
    const each = defineHttpSink("each", v.strictObject({}), () => ({
      render: ({ samples }) => samples.map(({ name }) => ({ method: "POST", url: receiver.url, body: name })),
    }));
    const bench = await openBench(each());
    opened.push({ close: () => receiver.stop() }, bench);
    const names = ["a", "a", "b", "a", "bad", "a", "b"];
    await bench.deliver([makeBatch(names.flatMap((name) => makeSamples(1, { name })))]);
    assert.deepEqual(receiver.stored(), ["a", "a", "b", "a", "a", "b"]);
    assert.deepEqual(bench.counts(), { delivered: 6, "dead http_400": 1 });
  });

  it("backs off from a receiver that says Retry-After: 0 each time", async () => {
    const { bench } = await open(Array.from({ length: 4 }, () => answer(503, { "retry-after": "0" })));
    await bench.deliver([makeBatch(makeSamples(1))]);
    assert.deepEqual(bench.waits, [500, 1000, 2000, 4000]);
  });

  it("adds up how long its requests have taken, those that failed too", async () => {
    let sent = 0;
    const slow = defineSink("slow", v.strictObject({}), () => ({
      render: () => ["request"],
      async deliver() {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return sent++ === 0 ? { kind: "retry", reason: "busy" } : { kind: "delivered" };
      },
    }));
    const bench = await openBench(slow());
    opened.push(bench);
    await bench.deliver([makeBatch(makeSamples(1))]);
    assert.ok(bench.sink.status.requestMs >= 90, `${bench.sink.status.requestMs} ms`);
  });

  it("pauses with the mend while a secret is not set", async () => {
    const receiver = await startReceiver();
    const entry = pramathus({ endpoint: receiver.url, apiKey: secret.env("MLMON_TEST_UNSET") });
    const bench = await openBench(entry);
    opened.push({ close: () => receiver.stop() }, bench);
    const delivering = bench.deliver([makeBatch(makeSamples(1))]);
    await until(() => bench.sink.status.state === "paused");
    assert.match(bench.sink.status.lastError?.reason ?? "", /MLMON_TEST_UNSET.*export the variable/);
    process.env.MLMON_TEST_UNSET = "a key";
    await delivering;
    delete process.env.MLMON_TEST_UNSET;
    assert.equal(bench.waits[0], 30_000);
    assert.equal(receiver.received[0]?.headers.authorization, "Bearer a key");
  });

  it("says where its requests go, also those that fail, without the user part and the query", async () => {
    const receiver = await startReceiver();
    await receiver.stop();
    const endpoint = `${receiver.url.replace("//", "//ada:word@")}/in?key=abc`;
    const bare = defineHttpSink("bare", v.strictObject({}), () => ({
      render: () => [{ method: "POST", url: endpoint, body: "x" }],
    }));
    const bench = await openBench(bare({}));
    opened.push(bench);
    assert.equal(bench.sink.status.place, undefined);
    const delivering = bench.deliver([makeBatch(makeSamples(1))]);
    await until(() => bench.sink.status.state === "retrying");
    assert.equal(bench.sink.status.place, receiver.url);
    bench.stop.abort();
    await delivering;
  });

  it("buries only the sample for which a sink's render throws", async () => {
    const receiver = await startReceiver();
    const broken = defineHttpSink("broken", v.strictObject({}), () => ({
      render({ samples }) {
        if (samples.some(({ step }) => step === 3)) throw new Error("cannot do 3");
        return [{ method: "POST", url: receiver.url, body: samples.map(({ step }) => step).join() }];
      },
    }));
    const bench = await openBench(broken());
    opened.push({ close: () => receiver.stop() }, bench);
    await bench.deliver([makeBatch(makeSamples(8))]);
    assert.deepEqual(receiver.stored().join().split(",").map(Number), [0, 1, 2, 4, 5, 6, 7]);
    assert.deepEqual(bench.counts(), { delivered: 7, "dead plugin_error": 1 });
  });

  it("says once for each kind of reason what is a dead letter, with an example, and counts the others", async () => {
    const { bench } = await open((body) => (body.includes('"step":2') ? answer(422) : answer(400)));
    await bench.deliver([makeBatch(makeSamples(30))]);
    const lines = bench.errors.map((line) => /"example":"loss","reason":"(\d+)/.exec(line)?.[1]);
    assert.deepEqual(lines.toSorted(), ["400", "422"]);
    assert.deepEqual(bench.counts(), { "dead http_400": 19, "dead http_422": 11 });
  });

  it("commits nothing of a slice that was stopped amid its delivery", async () => {
    const { bench, receiver } = await open((_body, index) => (index === 1 ? "hang" : undefined));
    const delivering = bench.deliver([makeBatch(makeSamples(20))]);
    while (receiver.received.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    bench.stop.abort();
    await delivering;
    assert.equal(bench.journal.waiting(bench.journal.position("sink/pramathus")).samples, 10);
    assert.deepEqual(bench.counts(), { delivered: 10 });
  });

  it("writes down later what it has delivered when the disk is full, and delivers nothing twice", async () => {
    const { bench, receiver } = await open([]);
    const { commit, trim } = bench.journal;
    let failures = 3;
    bench.journal.commit = async (...args) => {
      if (failures-- > 0) throw new WorkError("Cannot write the journal: the disk is full");
      await commit(...args);
    };
    bench.journal.trim = async () => {
      if (failures-- > -3) throw new WorkError("Cannot write the journal: the disk is full");
      await trim();
    };
    await bench.deliver([makeBatch(makeSamples(30))]);
    assert.deepEqual(steps(receiver), upTo(30));
    assert.deepEqual(bench.counts(), { delivered: 30 });
    assert.deepEqual(bench.waits, [500, 1000, 2000]);
    assert.equal(bench.errors.length, 1);
  });
});
