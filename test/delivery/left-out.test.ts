import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { activateSink } from "../../src/delivery/activate.ts";
import { logRefusedGroup } from "../../src/delivery/dead.ts";
import { maxMadeUp } from "../../src/delivery/explain-once.ts";
import { logLeftOut } from "../../src/delivery/log-left-out.ts";
import { select } from "../../src/delivery/select.ts";
import { createSender } from "../../src/delivery/send.ts";
import { defineSink, v } from "../../src/index.ts";
import { silentLog } from "../../src/model/log.ts";
import { Secret, secret } from "../../src/model/secret.ts";
import { createView } from "../../src/view/create-view.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";
import { openBench } from "./world.ts";

describe("select()", () => {
  it("leaves out what was logged before the start of a sink, and the end of runs that had ended", () => {
    const define = defineSink("own", v.strictObject({}), () => ({
      render: () => [],
      deliver: async () => ({ kind: "delivered" }),
    }));
    const prepared = define().prepare();
    if (!prepared.ok) throw new Error("refused");
    const [first, , third] = makeSamples(3);
    const start = (first?.time ?? 0) + 1500;
    const old = makeRun({ id: "old", endTime: start - 1, status: "finished" });
    const ended = [old, { ...old, id: "new", endTime: start }, { ...old, id: "gone", deleted: true }, makeRun()];
    for (const [startFrom, firstSeen] of [
      ["now", start],
      [start, 0],
    ] as const) {
      const resolved = { id: "own", type: "own", options: {}, host: { startFrom }, create: prepared.create };
      const send = createSender({ version: "test" });
      const sink = activateSink(resolved, { send, now: Date.now, firstSeen: () => firstSeen });
      const { batch, ledger, examples } = select(sink, makeBatch(makeSamples(3), { ended }));
      assert.deepEqual([...(examples?.keys() ?? [])], ["startFrom"]);
      assert.deepEqual(batch.samples, [third]);
      assert.deepEqual(
        batch.ended.map(({ id }) => id),
        ["new", "gone", makeRun().id],
      );
      assert.deepEqual(
        ledger.map(({ name, count }) => [name, count]),
        [["unmatched", 2]],
      );
    }
  });

  it("leaves a sink of latest values what is known of runs that had not ended and of sources", () => {
    const start = Date.now();
    const view = createView({ max: 100, retentionMs: 1e15 });
    const before = { startTime: start - 20_000 };
    const live = makeRun(before);
    const silent = makeRun({ ...before, id: "b".repeat(32) });
    const old = makeRun({ ...before, id: "c".repeat(32), endTime: start - 1, status: "finished" });
    const late = makeRun({ ...before, id: "d".repeat(32), endTime: start, status: "finished" });
    const runs = [live, silent, old, late];
    const samples = [
      ...runs.flatMap((run) => makeSamples(1, { run, time: start - 10_000 })),
      { name: "accuracy", value: 1, time: start, step: 1, run: live },
      { name: "run_info", value: 1, time: start - 10_000, step: 1, run: live },
    ];
    const facts = [{ name: "up", value: 1, time: start - 10_000, step: 0 }];
    view.apply(makeBatch(samples, { time: start, runs, facts }));
    const define = defineSink("page", v.strictObject({}), () => ({
      consumes: "latest",
      render: () => [],
      deliver: async () => ({ kind: "delivered" }),
    }));
    const prepared = define().prepare();
    if (!prepared.ok) throw new Error("refused");
    const resolved = { id: "page", type: "page", options: {}, host: { startFrom: start }, create: prepared.create };
    const sink = activateSink(resolved, { send: createSender({ version: "test" }), now: Date.now });
    const ids = select(sink, view.latest(start)).batch.samples.map(
      ({ run, series }) => `${run?.id[0] ?? ""} ${series?.name}`,
    );
    assert.deepEqual(
      ids.filter((id) => !id.includes("seconds")),
      ["4 mlflow_accuracy", "4 mlflow_run_info", "b mlflow_run_info", "d mlflow_run_info", " mlflow_up"],
    );
    assert.equal(ids.filter((id) => id.startsWith("c")).length, 0);
    assert.equal(ids.filter((id) => id.startsWith("4") && id.includes("seconds")).length, 2);
  });
});

describe("logLeftOut()", () => {
  it("falls silent when a plugin makes up a reason for each sample, but for what mlmon has to say", () => {
    const define = defineSink("own", v.strictObject({}), () => ({
      render: () => [],
      deliver: async () => ({ kind: "delivered" }),
      refuse: ({ step }) => `step ${step} is not for me`,
    }));
    const prepared = define().prepare();
    if (!prepared.ok) throw new Error("refused");
    const resolved = { id: "own", type: "own", options: {}, host: {}, create: prepared.create };
    const sink = activateSink(resolved, { send: createSender({ version: "test" }), now: Date.now });
    let lines = 0;
    const log = { ...silentLog, info: () => void lines++ };
    logLeftOut(sink, select(sink, makeBatch(makeSamples(300))), log);
    assert.deepEqual([lines, sink.explained.size], [maxMadeUp, maxMadeUp]);
    const errors: string[] = [];
    logRefusedGroup(sink, "vision", "400 Bad Request", { ...log, error: (line) => void errors.push(line) });
    assert.equal(errors.length, 1);
  });

  it("says once for each reason what is left out, with an example", () => {
    const define = defineSink("own", v.strictObject({}), () => ({
      render: () => [],
      deliver: async () => ({ kind: "delivered" }),
      refuse: ({ value }) => (Number.isFinite(value) ? undefined : "nonfinite"),
    }));
    const prepared = define().prepare();
    if (!prepared.ok) throw new Error("refused");
    const host = { match: ({ step }: { step: number }) => step > 0 };
    const resolved = { id: "own", type: "own", options: {}, host, create: prepared.create };
    const sink = activateSink(resolved, { send: createSender({ version: "test" }), now: Date.now });
    const lines: string[] = [];
    const log = { ...silentLog, info: (_: string, fields = {}) => void lines.push(JSON.stringify(fields)) };
    const batch = makeBatch([
      { name: "early", value: 1, time: 1, step: 0 },
      { name: "odd", value: Number.NaN, time: 1, step: 1 },
    ]);
    for (let round = 0; round < 3; round++) logLeftOut(sink, select(sink, batch), log);
    assert.deepEqual(lines, [
      '{"sink":"own","reason":"match","example":"early"}',
      '{"sink":"own","reason":"nonfinite","example":"odd"}',
    ]);
  });
});

describe("a long backlog of which nothing is sent", () => {
  it("leaves everything else its turn", async () => {
    const define = defineSink("own", v.strictObject({}), () => ({
      render: () => [],
      deliver: async () => ({ kind: "delivered" }),
    }));
    const { deliver, counts, close } = await openBench(define(), { match: () => false, batch: { size: 10 } });
    let turns = 0;
    let isOver = false;
    function turn(): void {
      turns++;
      if (!isOver) setImmediate(turn);
    }
    turn();
    await deliver([makeBatch(makeSamples(20_000))]);
    isOver = true;
    assert.deepEqual(counts(), { unmatched: 20_000 });
    assert.ok(turns > 1000, `${turns}`);
    await close();
  });
});

describe("the words of a plugin", () => {
  it("reach neither the status nor a dead letter with a secret in them", async () => {
    Secret.reveal(secret.literal("key", "a-key-of-a-sink"));
    const define = defineSink("own", v.strictObject({}), () => ({
      render: ({ samples }) => samples,
      deliver: async () => ({ kind: "rejected", reason: "no such key: a-key-of-a-sink" }),
    }));
    const { journal, sink, deliver, close } = await openBench(define());
    await deliver([makeBatch(makeSamples(1))]);
    assert.equal(sink.status.lastError?.reason, "no such key: <secret>");
    assert.equal(journal.dead.page({}, 0, 1)[0]?.reason, "no such key: <secret>");
    await close();
  });
});
