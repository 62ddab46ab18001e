import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { auditLedger, placedRow } from "../../src/journal/audit.ts";
import { until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";
import { type Bench, openBench } from "./world.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** A receiver that refuses odd steps with 400 until it is healed, and a sink of ten samples a request. */
async function openOdd() {
  const ill = { is: true };
  const seen = { status: 400 };
  const receiver = await startReceiver((body) => {
    const odd = steps(body).some((step) => step % 2 === 1);
    return ill.is && odd ? { status: seen.status, body: "odd steps are not taken" } : { status: 200 };
  });
  const bench = await openBench(pramathus({ endpoint: `${receiver.url}/in` }), { batch: { size: 10 } });
  opened.push({ close: () => receiver.stop() }, bench);
  const arrived = () => receiver.stored().flatMap(steps);
  return { bench, receiver, arrived, ill, seen };
}

function steps(body: string): number[] {
  return JSON.parse(body).metrics.map((metric: Metric) => metric.metadata.step);
}
interface Metric {
  readonly metadata: { readonly step: number };
}
const sorted = (list: readonly number[]) => list.toSorted((one, other) => one - other);
const balanced = ({ journal }: Bench) =>
  assert.deepEqual(
    auditLedger(journal).filter((line) => line.startsWith("sink")),
    [],
  );

describe("a replay of dead letters", () => {
  it("delivers each once when the receiver has healed, and the ledger adds up at each step", async () => {
    const { bench, arrived, ill, receiver } = await openOdd();
    await bench.deliver([makeBatch(makeSamples(25))]);
    assert.deepEqual(bench.counts(), { delivered: 13, "dead http_400": 12 });
    balanced(bench);
    ill.is = false;
    const [replayed] = await bench.journal.dead.replay({ sink: "pramathus" });
    assert.equal(replayed?.samples, 12);
    assert.equal(bench.journal.dead.replaying("pramathus").samples, 12);
    assert.deepEqual(bench.journal.dead.page({}, 0, 10), []);
    balanced(bench);
    const before = receiver.received.length;
    await bench.deliver([]);
    assert.deepEqual(
      sorted(arrived()),
      Array.from({ length: 25 }, (_, step) => step),
    );
    assert.equal(receiver.received.length - before, 2);
    assert.deepEqual(bench.counts(), { delivered: 25, "dead http_400": 12, "replayed http_400": 12 });
    assert.equal(bench.journal.dead.replaying("pramathus").samples, 0);
    balanced(bench);
  });

  it("makes a dead letter again of what is refused again, with the new words", async () => {
    const { bench, seen } = await openOdd();
    await bench.deliver([makeBatch(makeSamples(4))]);
    seen.status = 422;
    await bench.journal.dead.replay({});
    await bench.deliver([]);
    assert.deepEqual(bench.counts(), {
      delivered: 2,
      "dead http_400": 2,
      "dead http_422": 2,
      "replayed http_400": 2,
    });
    assert.deepEqual(
      bench.journal.dead.counts({}).map(({ reason, samples }) => [reason, samples]),
      [["http_422", 2]],
    );
    balanced(bench);
  });

  it("comes in the order of their death, beside new samples in their own order", async () => {
    const { bench, arrived, ill } = await openOdd();
    await bench.deliver([makeBatch(makeSamples(30))]);
    ill.is = false;
    await bench.journal.dead.replay({});
    await bench.deliver([makeBatch(makeSamples(100).slice(50))]);
    const after = arrived().slice(15);
    assert.deepEqual(
      after.filter((step) => step < 50),
      Array.from({ length: 15 }, (_, index) => 2 * index + 1),
    );
    assert.deepEqual(
      after.filter((step) => step >= 50),
      Array.from({ length: 50 }, (_, index) => index + 50),
    );
    balanced(bench);
  });

  it("waits while the receiver is away, and survives the end of the worker", async () => {
    const { bench, ill, arrived, receiver } = await openOdd();
    await bench.deliver([makeBatch(makeSamples(2))]);
    await bench.journal.dead.replay({});
    await receiver.stop();
    const ending = bench.deliver([]);
    await until(() => bench.waits.length > 2, 5000, "repetitions");
    bench.stop.abort();
    await ending;
    assert.equal(bench.journal.dead.replaying("pramathus").samples, 1);
    assert.deepEqual(arrived(), [0]);
    assert.ok(ill.is);
    balanced(bench);
  });

  it("is dead again when its sink is gone, and skipped by nothing when it is back", async () => {
    const { bench } = await openOdd();
    await bench.deliver([makeBatch(makeSamples(4))]);
    const { journal } = bench;
    await journal.dead.replay({});
    await journal.forget("sink/pramathus");
    assert.equal(journal.dead.replaying("pramathus").samples, 0);
    assert.equal(journal.dead.counts({})[0]?.samples, 2);
    assert.equal(placedRow(journal, "pramathus", journal.end()).count, 0);
    await journal.commit("sink/pramathus", journal.end());
    balanced(bench);
  });

  it("takes only what is asked for: sink, reason, words, time", async () => {
    const { bench } = await openOdd();
    await bench.deliver([makeBatch(makeSamples(4))]);
    const { dead } = bench.journal;
    const now = Date.now();
    const count = (filter: Parameters<typeof dead.counts>[0]) => dead.counts(filter)[0]?.samples ?? 0;
    assert.equal(count({}), 2);
    assert.equal(count({ sink: "other" }), 0);
    assert.equal(count({ reason: "http_400" }), 2);
    assert.equal(count({ reason: "odd steps" }), 2);
    assert.equal(count({ reason: "http_40" }), 0);
    assert.equal(count({ since: now + 1000 }), 0);
    assert.equal(count({ before: now - 60_000 }), 0);
    await dead.drop({ reason: "http_400", before: now + 1000 });
    assert.equal(count({}), 0);
    assert.deepEqual(bench.counts(), { delivered: 2, "dead http_400": 2 });
    balanced(bench);
  });
});
