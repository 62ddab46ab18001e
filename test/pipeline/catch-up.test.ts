import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { afterEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pramathus } from "../../plugins/pramathus.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { defineSource, v } from "../../src/index.ts";
import { silentLog } from "../../src/model/log.ts";
import type { Sample } from "../../src/model/sample.ts";
import { runService, type Started } from "../../src/pipeline/service.ts";
import { temporaryFolder, until } from "../beds/wait.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun } from "../fixtures/samples.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

let isDown = false;
const run = makeRun();
/** What the other side holds; it grows while it is read. */
const store: Sample[] = [];
const polled = defineSource("polled", v.strictObject({}), () => ({
  rereads: true,
  async *read({ state, once, signal, polled }) {
    do {
      const from = Number(state.get("read") ?? 0);
      for (let at = from; at < store.length; at += 100) {
        const samples = store.slice(at, at + 100);
        state.set("read", String(at + samples.length));
        yield makeBatch(samples, { runs: [run] });
        // Long enough to be stopped amid it.
        if (once) await sleep(5, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
      }
      polled({ ok: true, nextMs: 20 });
      if (!once) await sleep(20, undefined, { signal }).catch(() => undefined);
    } while (!once && !signal.aborted);
  },
}));

function grow(count: number, since = 1000): void {
  const step = store.length;
  for (let index = 0; index < count; index++) {
    store.push({ name: "loss", value: step + index, time: since + step + index, step: step + index, run });
  }
}

interface Serving {
  readonly maxBytes?: number;
  readonly startFrom?: "now" | "beginning";
  /** The sink that gives way in a full journal. */
  readonly yielding?: string;
}

async function serve(stateDir: string, receivers: readonly Receiver[], options: Serving = {}) {
  const { maxBytes = 1e9, startFrom = "beginning", yielding } = options;
  const sinks = receivers.map((receiver, index) => {
    const id = `p${index}`;
    const whenFull = id === yielding ? "drop-oldest" : "pause";
    return pramathus({ endpoint: receiver.url }, { id, startFrom, whenFull, retry: { cap: "200ms" } });
  });
  const config = resolveConfig({ sources: [polled()], sinks }, { origin: "test", secrets: "required" });
  const stop = new AbortController();
  const server = { ...config.server, host: "127.0.0.1", port: 0 };
  let begun: Started | undefined;
  const ended = runService({
    config: { ...config, stateDir, server, journal: { ...config.journal, maxBytes } },
    log: silentLog,
    signal: stop.signal,
    onStarted(started) {
      begun = started;
    },
  });
  const end = async () => {
    stop.abort();
    await ended;
  };
  opened.push(end);
  await until(() => begun !== undefined);
  return { end, status: () => begun?.status() };
}

function steps(receiver: Receiver): readonly number[] {
  return receiver.stored().flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
}

async function open() {
  const folder = await temporaryFolder();
  const receivers = [await startReceiver(() => (isDown ? { status: 500 } : undefined)), await startReceiver()] as const;
  opened.push(folder.remove, ...receivers.map((receiver) => () => receiver.stop()));
  isDown = false;
  store.length = 0;
  grow(1000);
  const first = await serve(folder.path, [receivers[0]]);
  await until(() => steps(receivers[0]).length === 1000);
  await first.end();
  return { path: folder.path, receivers };
}

const upTo = (count: number) => Array.from({ length: count }, (_, step) => step);

describe("a new sink", () => {
  it("gets what the journal no longer holds, once and in order, and no other sink gets it again", async () => {
    const { path, receivers } = await open();
    const second = await serve(path, receivers);
    for (let round = 0; round < 20; round++) {
      grow(10);
      await sleep(10);
    }
    await until(() => steps(receivers[1]).length >= 1200);
    grow(10);
    await until(() => steps(receivers[1]).length >= 1210 && steps(receivers[0]).length >= 1210);
    assert.deepEqual(steps(receivers[1]), upTo(1210));
    assert.deepEqual(steps(receivers[0]), upTo(1210));
    await until(() => second.status()?.sinks[1]?.delivered === 1210);
    assert.deepEqual(second.status()?.ledgerMismatches, []);
    const rows = second.status()?.ledger.filter(({ id }) => id === "p1") ?? [];
    const counts = Object.fromEntries(rows.map(({ name, count }) => [name, count]));
    assert.ok(Number(counts.skipped) >= 1000);
    assert.deepEqual(counts, { delivered: 1210, skipped: counts.skipped, reread: counts.skipped });
    await until(async () => !(await readdir(path)).some((name) => name.startsWith("catch-up")));
  });

  it("gets all of it though mlmon is stopped amid the reading and amid the delivery", async () => {
    const { path, receivers } = await open();
    const reading = await serve(path, receivers);
    await until(async () => (await readdir(path)).some((name) => name.startsWith("catch-up")));
    grow(10);
    await reading.end();
    assert.deepEqual(steps(receivers[1]), []);
    const delivering = await serve(path, receivers);
    await until(() => steps(receivers[1]).length > 0);
    await delivering.end();
    grow(10);
    await serve(path, receivers);
    await until(() => steps(receivers[1]).length >= 1020 && steps(receivers[0]).length >= 1020);
    assert.deepEqual(steps(receivers[1]), upTo(1020));
    assert.deepEqual(steps(receivers[0]), upTo(1020));
  });

  it("gets nothing twice when the journal is full because of another sink", async () => {
    const { path, receivers } = await open();
    isDown = true;
    const before = await serve(path, [receivers[0]], { maxBytes: 20_000 });
    grow(3000);
    await until(() => before.status()?.journal.full === true);
    await before.end();
    const { status } = await serve(path, receivers, { maxBytes: 20_000 });
    await until(() => steps(receivers[1]).length >= 4000, 10_000, "the history, though reading pauses");
    isDown = false;
    await until(() => steps(receivers[0]).length >= 4000);
    grow(1);
    await until(() => steps(receivers[0]).length > 4000 && steps(receivers[1]).at(-1) === 4000);
    assert.deepEqual(steps(receivers[1]), upTo(4001));
    await until(() => status()?.sinks[1]?.delivered === 4001);
    assert.deepEqual(status()?.ledgerMismatches, []);
  });

  it("makes room in a journal that has run full meanwhile", async () => {
    const { path, receivers } = await open();
    grow(3000);
    const { status } = await serve(path, receivers, { maxBytes: 20_000 });
    await until(() => steps(receivers[0]).length >= 4000 && steps(receivers[1]).length >= 4000);
    grow(1);
    await until(() => receivers.every((receiver) => steps(receiver).at(-1) === 4000));
    for (const receiver of receivers) assert.deepEqual(steps(receiver), upTo(4001));
    assert.deepEqual(status()?.ledgerMismatches, []);
  });

  it("holds nothing up that it is to give way to, while its receiver is down", async () => {
    const { path, receivers } = await open();
    isDown = true;
    const sinks = [receivers[1], receivers[0]];
    const { status } = await serve(path, sinks, { maxBytes: 20_000, yielding: "p1" });
    await until(() => status()?.sinks[1]?.state === "retrying");
    grow(3000);
    await until(() => steps(receivers[1]).length >= 3000, 10_000, "what the other sink gets");
    isDown = false;
    // The first of them may still go with what is dropped.
    await until(() => {
      grow(1);
      return Number(steps(receivers[0]).at(-1)) >= 4000;
    });
    const arrived = steps(receivers[0]).slice(1000);
    assert.deepEqual(arrived.slice(0, 1000), upTo(1000), "the history stands in a file of its own");
    assert.deepEqual(new Set(arrived).size, arrived.length);
    assert.deepEqual(status()?.ledgerMismatches, []);
    assert.ok((status()?.sinks[1]?.dropped ?? 0) > 0);
  });

  it("that is removed amid it and comes back begins where it then says", async () => {
    const { path, receivers } = await open();
    const histories = async () => (await readdir(path)).filter((name) => name.startsWith("catch-up"));
    const reading = await serve(path, receivers);
    await until(async () => (await histories()).length > 0);
    await reading.end();
    const without = await serve(path, [receivers[0]]);
    assert.deepEqual(await histories(), []);
    await without.end();
    const { status } = await serve(path, receivers, { startFrom: "now" });
    grow(10, Date.now());
    await until(() => steps(receivers[0]).length >= 1010 && steps(receivers[1]).includes(1009));
    assert.deepEqual(steps(receivers[1]), upTo(1010).slice(1000));
    assert.deepEqual(status()?.ledgerMismatches, []);
  });
});
