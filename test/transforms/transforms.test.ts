import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { filter, label, rename, thin } from "../../src/index.ts";
import type { Batch } from "../../src/model/batch.ts";
import type { TransformEntry } from "../../src/model/define.ts";
import { silentLog } from "../../src/model/log.ts";
import type { Sample } from "../../src/model/sample.ts";
import type { State, StateValue } from "../../src/model/state.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

/** A memory that outlives the transform, as the journal's does. */
function memory(): State & { readonly size: number } {
  const values = new Map<string, StateValue>();
  return {
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
    scan: (prefix) => [...values].filter(([key]) => key.startsWith(prefix)),
    get size() {
      return values.size;
    },
  };
}

async function apply(entry: TransformEntry, batch: Batch, state: State = memory()): Promise<Batch> {
  const prepared = entry.prepare();
  if (!prepared.ok) throw new Error("refused");
  const signal = new AbortController().signal;
  return prepared.create()(batch, { state, log: silentLog, signal, now: () => 0 });
}

describe("transforms", () => {
  it("filter keeps the samples for which the function is true", async () => {
    const { samples } = await apply(
      filter(({ step }) => step % 2 === 0),
      makeBatch(makeSamples(5)),
    );
    assert.deepEqual(
      samples.map(({ step }) => step),
      [0, 2, 4],
    );
  });

  it("filter refuses an async function, for which every sample would be kept", async () => {
    const asynchronous: TransformEntry = Reflect.apply(filter, undefined, [async () => false]);
    await assert.rejects(apply(asynchronous, makeBatch(makeSamples(1))), /returned a promise.*true or false/);
  });

  it("rename takes a table or a function", async () => {
    const batch = makeBatch([...makeSamples(1), ...makeSamples(1, { name: "Acc" })]);
    const names = async (entry: TransformEntry) => (await apply(entry, batch)).samples.map(({ name }) => name);
    assert.deepEqual(await names(rename({ loss: "training_loss" })), ["training_loss", "Acc"]);
    assert.deepEqual(await names(rename(({ name }) => name.toLowerCase())), ["loss", "acc"]);
  });

  it("rename warns once a name of keys of one run that become one series, across batches", async () => {
    const lines: string[] = [];
    const log = {
      ...silentLog,
      warn: (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const prepared = rename({ "val/loss": "loss", a: "b", c: "d" }).prepare();
    if (!prepared.ok) throw new Error("refused");
    const transform = prepared.create();
    const other = makeRun({ id: "other" });
    const take = (...samples: Sample[]) =>
      transform(makeBatch(samples), { state: memory(), log, signal: new AbortController().signal, now: () => 0 });
    const [loss, validation] = [makeSamples(2), makeSamples(2, { name: "val/loss" })];
    // Of another run, with another label, or by another name: no two are one.
    await take(...loss, ...makeSamples(1, { name: "val/loss", run: other }), ...makeSamples(1, { name: "a" }));
    await take(...makeSamples(1, { name: "val/loss", labels: { x: "1" } }));
    assert.deepEqual(lines, []);
    await take(...validation);
    await take(...validation, ...loss);
    assert.deepEqual(lines, [
      `Keys of one run are renamed to one name, and are one series from here on {"name":"loss","keys":"loss, val/loss","run":"${makeRun().id}"}`,
    ]);
  });

  it("label adds labels and keeps those there are", async () => {
    const batch = makeBatch(makeSamples(1, { labels: { a: "1" } }));
    assert.deepEqual((await apply(label({ team: "x" }), batch)).samples[0]?.labels, { a: "1", team: "x" });
    const byTag = label(({ run }) => ({ a: run?.tags.nope, parent: run?.tags["mlflow.parentRunId"], b: "2" }));
    assert.deepEqual((await apply(byTag, batch)).samples[0]?.labels, { a: "1", b: "2" });
    const byRun = label(({ run }) => ({ team: run?.tags.team ?? "none" }));
    assert.deepEqual((await apply(byRun, batch)).samples[0]?.labels, { a: "1", team: "vision" });
  });

  it("thin keeps one sample per series and interval, across batches and restarts", async () => {
    const state = memory();
    const kept = async (from: number, to: number) =>
      (await apply(thin({ interval: "10s" }), makeBatch(makeSamples(30).slice(from, to)), state)).samples.map(
        ({ step }) => step,
      );
    assert.deepEqual([...(await kept(0, 5)), ...(await kept(5, 25))], [0, 10, 20]);
  });

  it("thin gives the newest of what it drops to sinks of latest values, by MLflow's order", async () => {
    const state = memory();
    const taken = async (samples: readonly Sample[]) => {
      const { samples: kept, restored = [] } = await apply(thin({ interval: "10s" }), makeBatch(samples), state);
      return [kept, restored].map((some) => some.map(({ name, step }) => `${name} ${step}`));
    };
    const samples = makeSamples(20);
    const [first, ...rest] = samples.slice(0, 5);
    assert.ok(first);
    assert.deepEqual(await taken([...makeSamples(1, { name: "acc" }), first, ...rest.toReversed()]), [
      ["acc 0", "loss 0"],
      ["loss 4"],
    ]);
    // What is kept is newer than what was dropped before it.
    assert.deepEqual(await taken(samples.slice(5, 11)), [["loss 10"], []]);
  });

  it("thin keeps the series of another key apart, and forgets a run that has ended", async () => {
    const state = memory();
    const batch = makeBatch([...makeSamples(2), ...makeSamples(2, { name: "acc" })]);
    assert.equal((await apply(thin({ interval: "10s" }), batch, state)).samples.length, 2);
    assert.equal(state.size, 2);
    await apply(thin({ interval: "10s" }), makeBatch([], { ended: [makeRun()] }), state);
    assert.equal(state.size, 0);
  });
});
