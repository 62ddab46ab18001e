import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { defineSource, v } from "../../src/index.ts";
import { UsageError } from "../../src/model/errors.ts";
import { silentLog } from "../../src/model/log.ts";
import { backfill, type Range } from "../../src/pipeline/backfill.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

const receivers: Receiver[] = [];
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

const one = makeRun({ experiment: { id: "1", name: "vision" } });
const two = makeRun({ id: "c".repeat(32), experiment: { id: "2", name: "text" } });
const samples = [...makeSamples(5, { run: one }), ...makeSamples(3, { run: two })].map((sample, index) => ({
  ...sample,
  step: index,
  time: 1000 + index,
}));
const given = defineSource("given", v.strictObject({}), () => ({
  async *read() {
    yield makeBatch(samples, { runs: [one, two] });
  },
}));

async function steps(range: Range, id = "second"): Promise<unknown> {
  const [first, second] = [await startReceiver(), await startReceiver()];
  receivers.push(first, second);
  const sinks = [
    pramathus({ endpoint: first.url }),
    pramathus({ endpoint: second.url }, { id: "second", startFrom: "now", match: ({ step }) => step !== 0 }),
    pushgateway({ endpoint: first.url }),
  ];
  const config = resolveConfig({ sources: [given()], sinks }, { origin: "test", secrets: "required" });
  const sink = config.sinks.find((entry) => entry.id === id);
  if (!sink) throw new Error(`no sink ${id}`);
  const signal = new AbortController().signal;
  await backfill({ config, sink, range, log: silentLog, signal, giveUpMs: 5000 });
  assert.deepEqual(first.stored(), [], "no other sink gets anything");
  return second.stored().flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
}

describe("backfill()", () => {
  it("delivers all history to one sink, as its match has it, wherever it has begun", async () => {
    assert.deepEqual(await steps({}), [1, 2, 3, 4, 5, 6, 7]);
  });

  it("keeps to the range and the experiment", async () => {
    assert.deepEqual(await steps({ since: 1002, until: 1006 }), [2, 3, 4, 5]);
    assert.deepEqual(await steps({ experiment: "text" }), [5, 6, 7]);
  });

  it("refuses a sink of latest values", async () => {
    await assert.rejects(steps({}, "pushgateway"), UsageError);
  });
});
