import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { type Config, defineSource, filter, label, rename, v } from "../../src/index.ts";
import type { Run } from "../../src/model/run.ts";
import type { Sample } from "../../src/model/sample.ts";
import { temporaryFolder, until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { makeBatch, makeRun } from "../fixtures/samples.ts";
import { serve, spy, stopServices } from "./service-bench.ts";

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await stopServices();
  for (const close of opened.splice(0).toReversed()) await close();
});

const running = makeRun({ startTime: Date.now() });
const finished = makeRun({ id: "f".repeat(32), startTime: Date.now(), endTime: Date.now() + 1, status: "finished" });

/** What the other side holds, and what stands in the way of reading it once more. */
const store: { samples: Sample[]; deleted: Run[]; again: number; hold: Promise<void>; down: boolean } = {
  samples: [],
  deleted: [],
  again: 0,
  hold: Promise.resolve(),
  down: false,
};
const shelf = defineSource("shelf", v.strictObject({ rereads: v.optional(v.boolean(), true) }), ({ rereads }) => ({
  rereads,
  async *read({ state, once, signal, polled }) {
    if (once) store.again += 1;
    const { samples, deleted } = store;
    const shown = once ? [...samples] : samples;
    if (once) await Promise.race([store.hold, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
    if (once && store.down) throw new Error("the shelf is away");
    do {
      const from = Number(state.get("read") ?? 0);
      const news = shown.slice(from);
      const gone = once ? [] : deleted.splice(0);
      state.set("read", String(from + news.length));
      if (news.length + gone.length > 0) {
        const runs = [...new Set(news.flatMap(({ run }) => run ?? []))];
        const ended = [
          ...runs.filter(({ status }) => status === "finished"),
          ...gone.map((run) => ({ ...run, deleted: true })),
        ];
        yield makeBatch(news, { time: Date.now(), runs, ended });
      }
      polled({ ok: true, nextMs: 10 });
      if (!once) await sleep(10, undefined, { signal }).catch(() => undefined);
    } while (!once && !signal.aborted);
  },
}));

function log(run: Run, name: string, value: number): void {
  store.samples.push({ name, value, time: Date.now(), step: store.samples.length, run });
}

beforeEach(() => {
  Object.assign(store, { samples: [], deleted: [], again: 0, hold: Promise.resolve(), down: false });
  log(running, "loss", 1);
  log(running, "debug/x", 2);
  log(finished, "loss", 3);
});

const config = (transforms: Config["transforms"], more: Config["sinks"] = []): Config => ({
  sources: [shelf()],
  sinks: [prometheus(), ...more],
  transforms: transforms ?? [],
});

/** The metrics on the page, without the series of runs themselves. */
async function shown({ ask }: Awaited<ReturnType<typeof serve>>): Promise<string[]> {
  const { text } = await ask("/metrics");
  return text.split("\n").filter((line) => /^mlflow_(loss|debug|new)/.test(line));
}

const lines = (page: readonly string[], what: RegExp) => page.filter((line) => what.test(line)).length;

describe("the latest values, when transforms change", () => {
  it("are those of the new ones after a reload, on the page and in the gateway, and sinks of points get nothing twice", async () => {
    const gateway = await startReceiver();
    opened.push(gateway.stop);
    const points = spy("points");
    const sinks = [pushgateway({ endpoint: gateway.url }), points.entry];
    const service = await serve(config([label({ env: "dev" })], sinks));
    await until(async () => lines(await shown(service), /env="dev"/) === 3 && points.steps.length === 3);
    await service.take(config([label({ env: "prod" }), filter(({ name }) => !name.startsWith("debug/"))], sinks));
    await until(async () => lines(await shown(service), /env="dev"/) === 0);
    const page = await shown(service);
    assert.equal(page.length, 2);
    assert.equal(lines(page, /env="prod"/), 2);
    await until(() => {
      const pushed = gateway.stored().at(-1) ?? "";
      return !pushed.includes('env="dev"') && (pushed.match(/^mlflow_loss\{.*env="prod"/gm) ?? []).length === 2;
    });
    log(running, "loss", 4);
    await until(() => points.steps.length === 4);
    assert.deepEqual(points.steps, [0, 1, 2, 3]);
    assert.deepEqual(service.status().ledgerMismatches, []);
    assert.ok(service.lines.some((line) => /latest values are read again/.test(line)));
    assert.ok(
      service.lines.some((line) => /transforms at work {"series":5}/.test(line)),
      service.lines.join("\n"),
    );
  });

  it("are those of the new ones after a restart, and nothing is read again after one without a change", async () => {
    const folder = await temporaryFolder();
    opened.push(folder.remove);
    const debug = [filter(({ name }) => !name.startsWith("debug/"))];
    const first = await serve(config([]), 2000, folder.path);
    await until(async () => (await shown(first)).length === 3);
    await first.end();
    const second = await serve(config(debug), 2000, folder.path);
    await until(async () => (await shown(second)).length === 2);
    await second.end();
    assert.equal(store.again, 1);
    const third = await serve(config([filter(({ name }) => !name.startsWith("debug/"))]), 2000, folder.path);
    log(running, "loss", 4);
    await until(async () => lines(await shown(third), /4$/) === 1);
    assert.equal((await shown(third)).length, 2);
    await third.end();
    assert.equal(store.again, 1);
    const fourth = await serve(config([]), 2000, folder.path);
    await until(async () => (await shown(fourth)).length === 3);
    assert.deepEqual(
      (await readdir(folder.path)).filter((name) => name.startsWith("latest")),
      [],
    );
  });

  it("are read again after a stop amid it, though the transforms are those of the start before", async () => {
    const folder = await temporaryFolder();
    opened.push(folder.remove);
    const dev = config([label({ env: "dev" })]);
    const first = await serve(dev, 2000, folder.path);
    await until(async () => lines(await shown(first), /env="dev"/) === 3);
    store.hold = new Promise(() => {});
    await first.take(config([label({ env: "prod" })]));
    log(running, "loss", 4);
    await until(async () => lines(await shown(first), /env="prod"/) === 1);
    await first.end();
    store.hold = Promise.resolve();
    const second = await serve(dev, 2000, folder.path);
    await until(async () => lines(await shown(second), /env="prod"/) === 0);
    assert.equal(lines(await shown(second), /env="dev"/), 3);
  });

  it("are those of the last of two reloads, though it comes amid the reading for the first", async () => {
    const of = (env: string) => config([label({ env })]);
    const service = await serve(of("one"));
    await until(async () => lines(await shown(service), /env="one"/) === 3);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    await service.take(of("two"));
    await until(() => store.again === 1);
    resolve();
    await service.take(of("three"));
    await until(async () => lines(await shown(service), /env="three"/) === 3);
    assert.equal((await shown(service)).length, 3);
  });

  it("are read again when the source is back", async () => {
    const service = await serve(config([label({ env: "dev" })]));
    await until(async () => lines(await shown(service), /env="dev"/) === 3);
    store.down = true;
    await service.take(config([label({ env: "prod" })]));
    await until(() => service.lines.some((line) => /tried again.*the shelf is away/.test(line)));
    log(running, "new", 4);
    await until(async () => lines(await shown(service), /^mlflow_new.*env="prod"/) === 1);
    store.down = false;
    await until(async () => lines(await shown(service), /env="dev"/) === 0);
    assert.equal(lines(await shown(service), /env="prod"/), 4);
  });

  it("hold what came meanwhile, and no run that was deleted meanwhile", async () => {
    const service = await serve(config([rename({ loss: "lost" })]));
    await until(async () => (await service.ask("/metrics")).text.includes("mlflow_lost"));
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    await service.take(config([]));
    await until(() => store.again === 1);
    log(running, "loss", 5);
    store.deleted.push(finished);
    await until(async () => lines(await shown(service), /^mlflow_loss.*5$/) === 1);
    await until(async () => !(await service.ask("/metrics")).text.includes('run_id="ffffffff"'));
    resolve();
    await until(async () => !(await service.ask("/metrics")).text.includes("mlflow_lost"));
    const { text } = await service.ask("/metrics");
    assert.ok(!text.includes('run_id="ffffffff"'));
    assert.match(text, /^mlflow_loss\{.*\} 5$/m);
  });

  it("keep those of a source that cannot be read again, whatever it gives meanwhile", async () => {
    const own = makeRun({ id: "a".repeat(32), startTime: Date.now() });
    const steps = [9];
    const define = defineSource("live", v.strictObject({}), () => ({
      async *read({ signal, polled }) {
        while (!signal.aborted) {
          const samples = steps
            .splice(0)
            .map((step) => ({ name: "new", value: step, time: Date.now(), step, run: own }));
          if (samples.length > 0) yield makeBatch(samples, { time: Date.now(), runs: [own] });
          polled({ ok: true, nextMs: 10 });
          await sleep(10, undefined, { signal }).catch(() => undefined);
        }
      },
    }));
    const of = (...transforms: NonNullable<Config["transforms"]>) => ({
      ...config(transforms),
      sources: [shelf(), define()],
    });
    const service = await serve(of());
    await until(async () => (await shown(service)).length === 4);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.hold = promise;
    await service.take(of(filter(({ name }) => !name.startsWith("debug/"))));
    await until(() => store.again === 1);
    steps.push(5);
    const read = () => service.status().ledger.find(({ id, name }) => id === "live" && name === "read")?.count;
    await until(() => read() === 2);
    resolve();
    await until(async () => lines(await shown(service), /debug/) === 0);
    assert.equal(lines(await shown(service), /^mlflow_new.* 9$/), 1);
    assert.ok(service.lines.some((line) => /transforms at work {"series":1}/.test(line)));
  });

  it("stay as they were where a source cannot be read again, which is said", async () => {
    const of = (env: string): Config => ({ ...config([label({ env })]), sources: [shelf({ rereads: false })] });
    const service = await serve(of("dev"));
    await until(async () => lines(await shown(service), /env="dev"/) === 3);
    await service.take(of("prod"));
    await until(() =>
      service.lines.some((line) => /cannot be read again stays as it is.*"sources":"shelf"/.test(line)),
    );
    assert.equal(lines(await shown(service), /env="dev"/), 3);
    assert.equal(store.again, 0);
  });
});
