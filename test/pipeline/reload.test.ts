import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { prometheus } from "../../plugins/prometheus.ts";
import { defineSink, defineSource, filter, type Outcome, type SinkEntry, secret, v } from "../../src/index.ts";
import { until } from "../beds/wait.ts";
import { isWhole, serve, spy, stopServices, ticking } from "./service-bench.ts";

afterEach(stopServices);

describe("a reload", () => {
  it("leaves the untouched sink and source at work, sets up the new, closes the changed and the removed", async () => {
    const source = ticking();
    const [kept, old, changed, gone, added] = [
      spy("kept"),
      spy("x"),
      spy("x", { word: "other" }),
      spy("gone"),
      spy("added"),
    ];
    const sources = [source.entry()];
    const service = await serve({ sources, sinks: [kept.entry, old.entry, gone.entry] });
    await until(() => [kept, old, gone].every(({ steps }) => steps.length > 20));
    const requests = () => service.status().sinks.find(({ id }) => id === "x")?.requests.delivered ?? 0;
    const before = requests();
    const differences = await service.take({ sources, sinks: [added.entry, changed.entry, kept.entry] });
    assert.ok(requests() >= before && before > 5, `the counters go on: ${requests()} after ${before}`);
    assert.deepEqual(differences.sinks, { kept: ["kept"], changed: ["x"], added: ["added"], removed: ["gone"] });
    await until(() => changed.steps.length > 20 && added.steps.length > 20);
    const told = Object.values({ kept, old, changed, gone, added }).map((sink) => sink.told.join(" "));
    assert.deepEqual(told, ["setup", "setup close", "setup", "setup close", "setup"]);
    assert.equal(source.reads.length, 1);
    assert.ok(isWhole(kept.steps) && isWhole([...old.steps, ...changed.steps]));
    const { sinks } = service.status();
    assert.deepEqual(
      sinks.map(({ id }) => id),
      ["added", "x", "kept"],
    );
    assert.ok(service.lines.some((line) => /no longer configured.*"sink":"gone"/.test(line)));
    await service.end();
    assert.deepEqual(
      Object.values({ kept, changed, gone, added }).map((sink) => sink.told.join(" ")),
      Array(4).fill("setup close"),
    );
  });

  it("finishes the request that is under way, so that the changed sink sends nothing twice", async () => {
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return { kind: "delivered" } as const;
    };
    const [old, changed] = [spy("x", { deliver: slow }), spy("x", { word: "other" })];
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [old.entry] });
    await until(() => old.steps.length > 0);
    await service.take({ sources, sinks: [changed.entry] });
    await until(() => changed.steps.length > 10);
    assert.ok(isWhole([...old.steps, ...changed.steps]), [...old.steps, ...changed.steps].join());
  });

  it("sends nothing of a slice again that has arrived of it, in requests or in halves", async () => {
    for (const whole of [false, true]) {
      const stored: number[] = [];
      let isLocked = false;
      let wasLocked = false;
      const define = defineSink("slices", v.strictObject({ key: v.string() }), () => ({
        render: ({ samples }) =>
          whole ? [samples.map(({ step }) => step)] : samples.map(({ step }): readonly number[] => [step]),
        async deliver(steps: readonly number[]): Promise<Outcome> {
          if (steps.length > 3) return { kind: "split", reason: "too many" };
          if (isLocked) return { kind: "paused", reason: "401: the key is old" };
          stored.push(...steps);
          // A slice may be short where the clock is slow: no count is hit for sure.
          isLocked ||= !wasLocked && stored.length >= 6;
          wasLocked ||= isLocked;
          return { kind: "delivered" };
        },
      }));
      const sources = [ticking().entry()];
      const sink = (key: string) => define({ key }, { batch: { size: 12, interval: "100ms" } });
      const service = await serve({ sources, sinks: [sink("old")] });
      await until(() => service.status().sinks[0]?.state === "paused");
      isLocked = false;
      await service.take({ sources, sinks: [sink("new")] });
      await until(() => stored.length > 50);
      assert.ok(isWhole(stored), `${stored}`);
    }
  });

  it("cuts a request that hangs, and does not wait for a paused sink", async () => {
    const [hanging, paused] = [
      spy("hanging", { deliver: () => new Promise(() => {}) }),
      spy("paused", { deliver: async () => ({ kind: "paused", reason: "401" }) }),
    ];
    const [first, second] = [spy("hanging", { word: "w" }), spy("paused", { word: "w" })];
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [hanging.entry, paused.entry] }, 300);
    await until(() => service.status().sinks[1]?.state === "paused");
    const begun = performance.now();
    await service.take({ sources, sinks: [hanging.entry, second.entry] });
    assert.ok(performance.now() - begun < 200);
    await service.take({ sources, sinks: [first.entry, second.entry] });
    await until(() => first.steps.length > 10 && second.steps.length > 10);
    assert.ok(isWhole(first.steps) && isWhole(second.steps));
  });

  it("reads a changed source on where the journal ends, and every source anew when points are wanted at last", async () => {
    const [one, two] = [ticking("one"), ticking("two")];
    const service = await serve({ sources: [one.entry(), two.entry()], sinks: [prometheus()] });
    await until(async () => /mlflow_two/.test((await service.ask("/metrics")).text));
    await service.take({ sources: [one.entry("changed"), two.entry()], sinks: [prometheus()] });
    await until(() => one.reads.length === 2);
    assert.equal(two.reads.length, 1);
    const sink = spy("points");
    await service.take({ sources: [one.entry("changed"), two.entry()], sinks: [prometheus(), sink.entry] });
    await until(() => one.reads.length === 3 && two.reads.length === 2);
    assert.deepEqual([one.reads.at(-1), two.reads.at(-1)], ["points", "points"]);
    assert.deepEqual(service.status().ledgerMismatches, []);
  });

  it("commits nothing of what a source that was left sets afterwards", async () => {
    const { promise: late, resolve: answer } = Promise.withResolvers<void>();
    const series = defineSource("series", v.strictObject({ word: v.string() }), ({ word }) => ({
      async *read({ state, polled, signal }) {
        polled({ ok: true, nextMs: 1000 });
        for (const step of [0, 1, 2, 3]) {
          if (state.get(`${step}`)) continue;
          // An answer that comes after its end, to a client that heeds no signal.
          if (step === 2 && word === "old") await late;
          state.set(`${step === 2 && word === "old" ? 3 : step}`, "read");
          yield { time: step, ended: [], samples: [{ name: "s", value: step, time: step, step }] };
          if (step === 2 && word === "new") answer();
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    }));
    const sink = spy("x");
    const service = await serve({ sources: [series({ word: "old" })], sinks: [sink.entry] }, 200);
    await until(() => sink.steps.length === 2);
    await service.take({ sources: [series({ word: "new" })], sinks: [sink.entry] });
    await until(() => sink.steps.length === 4);
    assert.deepEqual(sink.steps, [0, 1, 2, 3]);
  });

  it("takes the series of a removed source from the page", async () => {
    const [one, two] = [ticking("one"), ticking("two")];
    const service = await serve({ sources: [one.entry(), two.entry()], sinks: [prometheus()] });
    await until(async () => /mlflow_one.*mlflow_two/s.test((await service.ask("/metrics")).text));
    await service.take({ sources: [two.entry()], sinks: [prometheus()] });
    await until(async () => !/mlflow_one/.test((await service.ask("/metrics")).text));
    assert.match((await service.ask("/metrics")).text, /mlflow_two/);
  });

  it("takes other transforms between two batches", async () => {
    const sink = spy("x");
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [sink.entry] });
    await until(() => sink.steps.length > 5);
    const differences = await service.take({
      sources,
      sinks: [sink.entry],
      transforms: [filter(({ step }) => step % 2 === 0)],
    });
    assert.equal(differences.transforms, true);
    const from = sink.steps.length;
    await until(() => sink.steps.slice(from).filter((step) => step % 2 === 0).length > 20);
    const late = sink.steps.slice(-10);
    assert.ok(
      late.every((step) => step % 2 === 0),
      late.join(),
    );
    assert.deepEqual(service.status().ledgerMismatches, []);
  });

  it("mounts the pages of new sinks and takes those of removed ones away", async () => {
    const sources = [ticking().entry()];
    const page = (path: string): SinkEntry => prometheus({ path }, { id: path.slice(1) });
    const service = await serve({ sources, sinks: [page("/a")] });
    await service.take({ sources, sinks: [page("/b")] });
    assert.deepEqual([(await service.ask("/a")).status, (await service.ask("/b")).status], [404, 200]);
  });

  it("takes another token at once, another address at the next start", async () => {
    const config = { sources: [ticking().entry()], sinks: [spy("x").entry] };
    const server = (token: string) => ({ token: secret.literal("t", token) });
    const service = await serve({ ...config, server: server("first") });
    const status = async (token: string) =>
      (await service.ask("/api/v1/status", { headers: { authorization: `Bearer ${token}` } })).status;
    assert.deepEqual([await status("first"), await status("second")], [200, 401]);
    await service.take({ ...config, server: server("second") });
    assert.deepEqual([await status("first"), await status("second")], [401, 200]);
    await service.take({ ...config, server: { listen: "127.0.0.1:1" } });
    assert.deepEqual([await status("none"), await status("second")], [401, 200]);
    assert.ok(service.lines.some((line) => /next start.*"places":"server.listen"/.test(line)));
  });

  it("waits for the one before it, and those that come meanwhile are one", async () => {
    const sources = [ticking().entry()];
    const sinks = [spy("x").entry];
    const service = await serve({ sources, sinks });
    let loads = 0;
    let atOnce = 0;
    let most = 0;
    const slow = async () => {
      loads += 1;
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 50));
      atOnce -= 1;
      return { sources, sinks };
    };
    const first = service.take(slow);
    await until(() => loads === 1);
    await Promise.all([first, service.reload("b"), service.reload("c"), service.reload("d")]);
    assert.deepEqual([loads, most], [2, 1]);
  });

  it("is asked for by POST, which says what has changed or why nothing has", async () => {
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [spy("x").entry] });
    const [one, two] = [spy("x", { word: "w" }), spy("y")];
    await service.take({ sources, sinks: [one.entry, two.entry] });
    const post = () => service.ask("/-/reload", { method: "POST" });
    assert.deepEqual(await post(), { status: 200, text: "changes: none\n" });
    await assert.rejects(service.take({ sources, sinks: [] }));
    assert.deepEqual(await post(), {
      status: 400,
      text: 'Cannot use the configuration "test": sinks: is empty: add prometheus()\n',
    });
  });
});
