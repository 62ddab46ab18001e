import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { activateSink } from "../../src/delivery/activate.ts";
import type { ActiveSink } from "../../src/delivery/active-sink.ts";
import { trackGroups } from "../../src/delivery/groups.ts";
import { runLatestWorker } from "../../src/delivery/latest-worker.ts";
import { createSender } from "../../src/delivery/send.ts";
import { type DeliveryWorld, deliveryWorld } from "../../src/delivery/settle.ts";
import { defineHttpSink, type HttpSink, v } from "../../src/index.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Batch } from "../../src/model/batch.ts";
import { WorkError } from "../../src/model/errors.ts";
import { type Log, silentLog } from "../../src/model/log.ts";
import type { CheckedSinkOptions } from "../../src/model/sink-options.ts";
import { createView } from "../../src/view/create-view.ts";
import { until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** A sink of latest values, grouped by experiment, that sends `group=value,value`. */
async function open(
  script: Parameters<typeof startReceiver>[0] = [],
  change: Partial<HttpSink> = {},
  base = 10,
  maxBytes = 1e9,
  delivery: CheckedSinkOptions = {},
) {
  const receiver = await startReceiver(script);
  const journal = await openJournal({ path: ":memory:", maxBytes });
  function make(traits: Partial<HttpSink>): ActiveSink {
    const define = defineHttpSink("latest", v.strictObject({}), () => ({
      consumes: "latest",
      render: ({ group, samples }) => {
        const values = samples.filter(({ name }) => name === "loss").map(({ value }) => value);
        return [{ method: "PUT", url: receiver.url, body: `${group}=${values}` }];
      },
      ...traits,
    }));
    const prepared = define().prepare();
    if (!prepared.ok) throw new Error("refused");
    const host = { retry: { base, cap: base * 100 }, ...delivery };
    return activateSink(
      { id: "latest", type: "latest", options: {}, host, create: prepared.create },
      { send: createSender({ version: "test" }), now: Date.now },
    );
  }
  const grouped = make({ groupBy: ({ experiment }) => experiment.name, ...change });
  const view = createView({ max: 1000, retentionMs: 1e15 });
  opened.push(
    () => receiver.stop(),
    () => journal.close(),
  );
  function work(once = false, world?: DeliveryWorld, sink = grouped, log: Log = silentLog) {
    const stop = new AbortController();
    const ended = new AbortController();
    const ctx = {
      log: silentLog,
      now: Date.now,
      signal: stop.signal,
      state: journal.state("sink/latest"),
      ownMetrics: async () => "",
    };
    const common = { sink, view, journal, ctx, log };
    const worker = runLatestWorker({
      ...common,
      signal: stop.signal,
      inputEnded: ended.signal,
      once,
      ...(world && { world }),
    });
    opened.push(async () => {
      stop.abort();
      await worker;
    });
    return { stop, ended, worker };
  }
  async function append(batch: Batch): Promise<void> {
    await journal.append({ batch });
    view.apply(batch);
  }
  return { receiver, journal, sink: grouped, view, make, work, append };
}

const now = Date.now();
const one = makeRun({ startTime: now });
const two = makeRun({ id: "b".repeat(32), startTime: now, experiment: { id: "2", name: "text" } });
const batchOf = (run: typeof one, value: number) =>
  makeBatch(makeSamples(1, { run, value, step: value, time: now }), { runs: [run], time: now });

describe("the latest worker", () => {
  it("sends each group that has changed, and no other", async () => {
    const { receiver, work, append } = await open();
    work();
    await append(batchOf(one, 1));
    await append(batchOf(two, 2));
    await until(() => receiver.stored().includes("vision=1") && receiver.stored().includes("text=2"));
    await append(batchOf(one, 3));
    await until(() => receiver.stored().includes("vision=3"));
    assert.equal(receiver.stored().filter((body) => body.startsWith("text")).length, 1);
  });

  it("counts what was logged before its start as not meant for it", async () => {
    const { receiver, journal, work, append } = await open([], {}, 10, 1e9, { startFrom: now });
    await append(makeBatch(makeSamples(3, { run: one, time: now - 10_000 }), { runs: [one], time: now }));
    work();
    await append(batchOf(one, 5));
    await until(() => receiver.stored().includes("vision=5"));
    await until(() => journal.position("sink/latest") === journal.end());
    const counts = Object.fromEntries(journal.ledger().map(({ name, count }) => [name, count]));
    assert.deepEqual(counts, { unmatched: 3, delivered: 1 });
  });

  it("sends the newest state after a failure, and counts everything up to it as delivered", async () => {
    const { receiver, journal, work, append } = await open([{ status: 503 }, { status: 503 }]);
    work();
    await append(batchOf(one, 1));
    await until(() => receiver.received.length >= 1);
    await append(batchOf(one, 2));
    await until(() => receiver.stored().includes("vision=2"));
    await until(() => journal.waiting(journal.position("sink/latest")).samples === 0);
    const delivered = journal.ledger().find(({ name }) => name === "delivered");
    assert.equal(delivered?.count, 2);
  });

  it("sends a group without samples once its runs are deleted", async () => {
    const { receiver, work, append } = await open();
    work();
    await append(batchOf(one, 1));
    await until(() => receiver.stored().includes("vision=1"));
    await append(makeBatch([], { ended: [{ ...one, status: "finished", deleted: true }], time: now }));
    await until(() => receiver.stored().includes("vision="));
  });

  it("remembers across a restart which groups the receiver holds", async () => {
    const { receiver, view, work, append } = await open();
    const first = work();
    await append(batchOf(one, 1));
    await until(() => receiver.stored().includes("vision=1"));
    first.ended.abort();
    await first.worker;
    view.apply(makeBatch([], { ended: [{ ...one, status: "finished", deleted: true }], time: now }));
    work();
    await until(() => receiver.stored().includes("vision="));
  });

  it("empties the groups that it had before its groupBy has changed, and puts nothing into them", async () => {
    const { receiver, make, work, append } = await open();
    const first = work();
    await append(batchOf(one, 1));
    await append(batchOf(two, 2));
    await until(() => receiver.stored().includes("vision=1") && receiver.stored().includes("text=2"));
    first.ended.abort();
    await first.worker;
    const before = receiver.stored().length;
    work(false, undefined, make({}));
    await until(() => receiver.stored().length >= before + 3);
    assert.deepEqual(receiver.stored().slice(before).sort(), ["=1,2", "text=", "vision="]);
  });

  it("sends again what has not changed to a receiver that may forget", async () => {
    const { receiver, view, work, append } = await open([], { refreshMs: 50 });
    work();
    await append(batchOf(one, 1));
    await until(() => receiver.stored().length >= 3);
    assert.deepEqual(new Set(receiver.stored()), new Set(["vision=1"]));
    view.apply(makeBatch([], { ended: [{ ...one, status: "finished", deleted: true }], time: now }));
    await until(() => receiver.stored().includes("vision="));
    const { length } = receiver.stored();
    await append(batchOf(two, 2));
    await until(() => receiver.stored().length >= length + 3);
    assert.deepEqual(new Set(receiver.stored().slice(length)), new Set(["text=2"]));
  });

  it("waits for the next group that is to be sent again, whatever was sent since", async () => {
    const { sink, view, journal, append } = await open([], { refreshMs: 1000 });
    let time = 0;
    const groups = trackGroups(sink, view, journal, silentLog, () => time);
    assert.equal(groups.restMs(), 1000);
    await append(batchOf(one, 1));
    groups.delivered("vision", groups.version("vision"), true);
    time = 900;
    await append(batchOf(two, 2));
    groups.delivered("text", groups.version("text"), true);
    assert.deepEqual([groups.restMs(), groups.changed()], [100, []]);
    time = 1001;
    assert.deepEqual([groups.restMs(), groups.changed()], [0, ["vision"]]);
  });

  it("delivers the last state once when everything is read once, without keeping others from their work", async () => {
    const { receiver, work, append } = await open();
    const { ended, worker } = work(true);
    for (let value = 1; value <= 3; value++) await append(batchOf(one, value));
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(receiver.stored(), []);
    ended.abort();
    await worker;
    assert.deepEqual(receiver.stored(), ["vision=3"]);
  });

  it("counts what was refused as dead, not as delivered, and says why", async () => {
    const { receiver, journal, work, append } = await open((body) =>
      body.startsWith("text") ? { status: 405, body: "no text" } : undefined,
    );
    work();
    await append(batchOf(one, 1));
    await append(batchOf(two, 2));
    await until(() => journal.waiting(journal.position("sink/latest")).samples === 0);
    const counts = journal.ledger().map(({ name, reason, count }) => `${name} ${reason} ${count}`.replace("  ", " "));
    assert.deepEqual(counts.sort(), ["dead http_405 1", "delivered 1"]);
    assert.equal(journal.dead.page({}, 0, 1)[0]?.reason, '405: the receiver says "no text"');
    await append(batchOf(one, 3));
    await until(() => receiver.stored().includes("vision=3"));
  });

  it("pushes a refused group again, with its newest values, when its dead letters are replayed", async () => {
    let ill = true;
    const { receiver, journal, work, append } = await open(() => (ill ? { status: 405 } : undefined));
    work();
    await append(batchOf(one, 1));
    await until(() => journal.dead.page({}, 0, 1).length === 1);
    await journal.dead.replay({});
    await until(() => receiver.received.length === 2 && journal.dead.page({}, 0, 1).length === 1);
    ill = false;
    await journal.dead.replay({});
    await until(() => receiver.stored().includes("vision=1") && journal.dead.replaying("latest").samples === 0);
    assert.deepEqual(
      journal.ledger().map(({ name, count }) => [name, count]),
      [
        ["dead", 2],
        ["delivered", 1],
        ["replayed", 2],
      ],
    );
  });

  it("counts all samples of its only group as dead when that is refused", async () => {
    const { journal, work, append } = await open(() => ({ status: 405 }), { groupBy: () => "" });
    await append(makeBatch(makeSamples(5, { run: one, time: now }), { runs: [one], time: now }));
    const { ended, worker } = work(true);
    ended.abort();
    await worker;
    assert.equal(journal.waiting(journal.position("sink/latest")).samples, 0);
    assert.deepEqual(
      journal.ledger().map(({ name, count }) => [name, count]),
      [["dead", 5]],
    );
  });

  it("keeps a long backlog of a refused group a step at a time", async () => {
    const { journal, work, append } = await open(() => ({ status: 405 }), { groupBy: () => "" });
    for (let batch = 0; batch < 3; batch++) {
      await append(makeBatch(makeSamples(9000, { run: one, time: now }), { runs: [one], time: now }));
    }
    const { commit } = journal;
    const steps: number[] = [];
    journal.commit = async (consumer, position, changes) => {
      steps.push(changes?.deadLetters?.reduce((sum, { batch }) => sum + batch.samples.length, 0) ?? 0);
      await commit(consumer, position, changes);
    };
    const { ended, worker } = work(true);
    ended.abort();
    await worker;
    assert.equal(
      steps.reduce((sum, samples) => sum + samples),
      27_000,
    );
    assert.ok(Math.max(...steps) <= 10_000, String(steps));
    assert.equal(journal.position("sink/latest"), journal.end());
  });

  it("says once that groups are refused, however often they change", async () => {
    const { receiver, work, append } = await open(() => ({ status: 400 }));
    const lines: string[] = [];
    work(false, undefined, undefined, { ...silentLog, error: (message) => void lines.push(message) });
    for (let value = 0; value < 4; value++) {
      await append(batchOf(one, value));
      await until(() => receiver.received.length > value, 5000, "another refusal");
    }
    assert.equal(lines.length, 1, lines.join("\n"));
  });

  it("counts what it refuses as refused, not as delivered", async () => {
    const refuse = ({ step }: { step: number }) => (step === 2 ? "odd" : undefined);
    const { receiver, journal, work, append } = await open([], { refuse });
    await append(batchOf(one, 1));
    await append(batchOf(one, 2));
    await append(batchOf(two, 3));
    const { ended, worker } = work(true);
    ended.abort();
    await worker;
    assert.deepEqual([...receiver.stored()].sort(), ["text=3", "vision="]);
    const counts = journal.ledger().map(({ name, reason, count }) => `${name} ${reason} ${count}`.replace("  ", " "));
    assert.deepEqual(counts.sort(), ["delivered 2", "refused odd 1"]);
  });

  it("lets a journal go that runs full again while it is let go, before the one delivery of an export", async () => {
    const { journal, work, append } = await open([], {}, 10, 20_000);
    await journal.commit("sink/latest", 0);
    let value = 0;
    let isAgain = false;
    const fill = async () => {
      while (!journal.size().full) await append(batchOf(one, ++value));
    };
    const { trim } = journal;
    journal.trim = async () => {
      await trim();
      if (isAgain) return;
      isAgain = true;
      await fill();
    };
    work(true);
    await fill();
    await until(() => isAgain && !journal.size().full, 5000, "room");
  });

  it("lets a full journal go while its receiver is away, and delivers the newest state later", async () => {
    let away = true;
    const { receiver, journal, work, append } = await open(() => (away ? { status: 503 } : undefined), {}, 5, 2000);
    work();
    let value = 0;
    while (!journal.size().full) await append(batchOf(one, ++value));
    await until(() => !journal.size().full);
    await append(batchOf(one, ++value));
    away = false;
    await until(() => receiver.stored().includes(`vision=${value}`));
    await until(() => journal.waiting(journal.position("sink/latest")).samples === 0);
    const counts = Object.fromEntries(journal.ledger().map(({ name, count }) => [name, count]));
    assert.ok((counts.superseded ?? 0) > 0, JSON.stringify(counts));
    assert.equal((counts.superseded ?? 0) + (counts.delivered ?? 0), value);
  });

  it("holds up no reading while its receiver wants to be left alone, and leaves it alone", async () => {
    const receiver = await startReceiver(() => ({ status: 429, headers: { "retry-after": "3600" } }));
    opened.push(() => receiver.stop());
    let renders = 0;
    const render: HttpSink["render"] = () => {
      renders++;
      return [{ method: "PUT", url: receiver.url, body: "" }];
    };
    const { journal, work, append } = await open([], { render }, 10, 2000);
    work();
    let value = 0;
    await append(batchOf(one, ++value));
    await until(() => receiver.received.length === 1);
    for (let round = 0; round < 3; round++) {
      while (!journal.size().full) await append(batchOf(one, ++value));
      await until(() => !journal.size().full, 5000, "room");
    }
    assert.deepEqual([receiver.received.length, renders], [1, 1]);
  });

  it("keeps its wait though the journal was full for a moment amid the attempt", async () => {
    const gate = Promise.withResolvers<void>();
    let isBusy = false;
    let attempts = 0;
    const { journal, sink, work, append } = await open(
      [],
      {
        async classify() {
          if (!isBusy) return { kind: "delivered" };
          attempts++;
          await gate.promise;
          return { kind: "retry", reason: "busy", afterMs: 3_600_000 };
        },
      },
      10,
      3000,
    );
    await journal.commit("sink/other", 0);
    work();
    let value = 0;
    while (journal.size().fill < 0.6) await append(batchOf(one, ++value));
    await until(() => journal.position("sink/latest") === journal.end());
    isBusy = true;
    await append(batchOf(one, ++value));
    await until(() => attempts === 1);
    // Of another group: this one stays what it is.
    while (!journal.size().full) await append(batchOf(two, ++value));
    await journal.commit("sink/other", journal.position("sink/latest"));
    await journal.trim();
    assert.equal(journal.size().full, false);
    gate.resolve();
    await until(() => sink.status.state === "retrying");
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(attempts, 1);
  });

  it("is idle again once it can be written down what was delivered", async () => {
    const { journal, sink, work, append } = await open();
    const { commit } = journal;
    let failures = 1;
    journal.commit = async (...args) => {
      if (failures-- > 0) throw new WorkError("its disk is full");
      await commit(...args);
    };
    work();
    await append(batchOf(one, 1));
    await until(() => journal.position("sink/latest") === journal.end());
    assert.match(sink.status.lastError?.reason ?? "", /disk is full/);
    await until(() => sink.status.state === "idle", 2000, "an idle sink");
  });

  it("backs off longer and longer although newer values come all the time", async () => {
    const { journal, work, append } = await open(() => ({ status: 503 }), {}, 50);
    const waits: number[] = [];
    const ctx = {
      log: silentLog,
      now: Date.now,
      signal: new AbortController().signal,
      state: journal.state("sink/latest"),
      ownMetrics: async () => "",
    };
    let value = 1;
    await append(batchOf(one, value));
    await append(batchOf(two, 1));
    const world: DeliveryWorld = {
      ...deliveryWorld(ctx, silentLog),
      random: () => 1,
      async wait(ms) {
        waits.push(ms);
        await append(batchOf(one, ++value));
        await new Promise((resolve) => setTimeout(resolve, 1));
      },
    };
    const { stop } = work(false, world);
    const backoffs = () => waits.filter((ms) => ms >= 50);
    await until(() => backoffs().length >= 3);
    stop.abort();
    assert.deepEqual(backoffs().slice(0, 3), [50, 100, 200]);
  });

  it("goes on after render, groupBy and refuse have thrown", async () => {
    let broken = 0;
    function breakOnce(): void {
      if (broken++ < 3) throw new Error("broken");
    }
    const receiver = await startReceiver();
    opened.push(() => receiver.stop());
    const { work, append } = await open([], {
      groupBy() {
        breakOnce();
        return "all";
      },
      refuse() {
        breakOnce();
        return undefined;
      },
      render({ samples }) {
        breakOnce();
        return [{ method: "PUT", url: receiver.url, body: String(samples.length > 0) }];
      },
    });
    work();
    let value = 0;
    await until(async () => {
      await append(batchOf({ ...one, name: `name ${++value}` }, value));
      return receiver.stored().includes("true");
    });
  });
});
