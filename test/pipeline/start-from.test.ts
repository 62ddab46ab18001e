import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pramathus } from "../../plugins/pramathus.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { type Config, defineSource, v } from "../../src/index.ts";
import { silentLog } from "../../src/model/log.ts";
import type { Sample } from "../../src/model/sample.ts";
import { exportOnce } from "../../src/pipeline/export-once.ts";
import { temporaryFolder, until } from "../beds/wait.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun } from "../fixtures/samples.ts";
import { serve, stopServices } from "./service-bench.ts";

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await stopServices();
  for (const close of opened.splice(0).toReversed()) await close();
});

const run = makeRun({ startTime: Date.now() - 1000 });
const store: Sample[] = [];
const shelf = defineSource("shelf", v.strictObject({}), () => ({
  rereads: true,
  async *read({ state, once, signal, polled }) {
    do {
      const news = store.slice(Number(state.get("read") ?? 0));
      state.set("read", String(store.length));
      if (news.length > 0) yield makeBatch(news, { time: Date.now(), runs: [run] });
      polled({ ok: true, nextMs: 10 });
      if (!once) await sleep(10, undefined, { signal }).catch(() => undefined);
    } while (!once && !signal.aborted);
  },
}));

function log(time = Date.now()): void {
  store.push({ name: "loss", value: 1, time, step: store.length, run });
}

beforeEach(() => {
  store.length = 0;
  for (let step = 0; step < 5; step++) log(Date.now() - 1000);
});

async function open() {
  const folder = await temporaryFolder();
  const [all, late] = [await startReceiver(), await startReceiver()];
  opened.push(folder.remove, all.stop, late.stop);
  const sinks = [
    pramathus({ endpoint: all.url }, { id: "all" }),
    pramathus({ endpoint: late.url }, { id: "late", startFrom: "now" }),
  ];
  const config = (count: number): Config => ({ sources: [shelf()], sinks: sinks.slice(0, count) });
  return { path: folder.path, all, late, config };
}

const steps = (receiver: Receiver) =>
  receiver.stored().flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));

describe('a sink that starts from "now"', () => {
  it("gets nothing at its first start that was logged before, and all that is logged later, mlmon stopped or not", async () => {
    const { path, all, late, config } = await open();
    const first = await serve(config(2), 2000, path);
    await until(() => steps(all).length === 5);
    log();
    await until(() => steps(late).length > 0);
    await first.end();
    log();
    const second = await serve(config(2), 2000, path);
    await until(() => steps(all).length === 7 && steps(late).length >= 2);
    assert.deepEqual(steps(late), [5, 6]);
    assert.deepEqual(second.status().ledgerMismatches, []);
  });

  it("gets nothing of what the journal holds, or a source reads late, when it comes by a reload", async () => {
    const { all, late, config } = await open();
    const service = await serve(config(1));
    await until(() => steps(all).length === 5);
    await service.take(config(2));
    log(Date.now() - 1000);
    log();
    await until(() => steps(all).length === 7 && steps(late).length > 0);
    assert.deepEqual(steps(late), [6]);
  });

  it("gets what is logged between two exports that keep their state, and is told of where none is kept", async () => {
    const { path, late, config } = await open();
    const lines: string[] = [];
    const talking = { ...silentLog, warn: (message: string) => void lines.push(message) };
    const { signal } = new AbortController();
    const resolved = resolveConfig(config(2), { origin: "test", secrets: "required" });
    const once = (stateDir?: string) =>
      exportOnce({ config: resolved, log: talking, signal, giveUpMs: 5000, stateDir });
    await once(path);
    log();
    await once(path);
    assert.deepEqual(steps(late), [5]);
    assert.deepEqual(lines, []);
    await once();
    assert.deepEqual(steps(late), [5]);
    assert.match(lines.join(), /starts from "now" gets only what is logged during this export, as no --state is given/);
  });
});
