import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { compareConfigs, markConfig } from "../../src/config/compare.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { createSender } from "../../src/delivery/send.ts";
import { type Config, defineSink, defineSource, defineTransform, v } from "../../src/index.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { sinkOf, sinkOwner } from "../../src/journal/sink-owner.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { ConfigError } from "../../src/model/errors.ts";
import { silentLog } from "../../src/model/log.ts";
import { openPipeline } from "../../src/pipeline/open-pipeline.ts";
import { until } from "../beds/wait.ts";
import { isWhole, serve, spy, stopServices, ticking } from "./service-bench.ts";

afterEach(stopServices);

describe("a refused reload", () => {
  it("that cannot set a sink up changes nothing, says so, and the old ones go on", async () => {
    const fail = () => {
      throw new Error("the port is taken");
    };
    const [kept, old, gone, broken] = [spy("kept"), spy("x"), spy("gone"), spy("x", { word: "w", setup: fail })];
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [kept.entry, old.entry, gone.entry] });
    await until(() => gone.steps.length > 0);
    await assert.rejects(
      service.take({ sources, sinks: [kept.entry, broken.entry] }),
      /Cannot set up the sink "x": the port is taken/,
    );
    const counts = [kept, old, gone].map(({ steps }) => steps.length);
    await until(() => [kept, old, gone].every(({ steps }, index) => steps.length > (counts[index] ?? 0) + 20));
    assert.ok([kept, old, gone].every(({ steps }) => isWhole(steps)));
    assert.deepEqual([kept.told.length, old.told.join(" ")], [1, "setup close setup"]);
    const { reload } = service.status();
    assert.deepEqual(
      [reload.successful, reload.lastError?.reason],
      [false, 'Cannot set up the sink "x": the port is taken'],
    );
    assert.match((await service.ask("/metrics")).text, /^mlmon_config_last_reload_successful 0$/m);
    assert.match((await service.ask("/")).text, /was not loaded again.*the port is taken/s);
    await service.take({ sources, sinks: [kept.entry, old.entry, gone.entry] });
    assert.match((await service.ask("/metrics")).text, /^mlmon_config_last_reload_successful 1$/m);
    assert.doesNotMatch((await service.ask("/")).text, /was not loaded again/);
  });

  it("whose new sink is not set up in time ends, and the old ones go on", async () => {
    let isMended = false;
    let closed = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const define = defineSink("slow", v.strictObject({ word: v.string() }), ({ word }) => ({
      setup: () => (isMended || word === "old" ? undefined : promise),
      close: () => void (word === "new" && closed++),
      render: ({ samples }) => [samples.map(({ step }) => step)],
      async deliver(request: readonly number[]) {
        steps.push(...request);
        return { kind: "delivered" };
      },
    }));
    const steps: number[] = [];
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [define({ word: "old" })] });
    const changed = { sources, sinks: [define({ word: "new" }, { timeout: "200ms" })] };
    await assert.rejects(service.take(changed), /Cannot set up the sink "slow": it has not ended after 0.2 s/);
    const before = steps.length;
    await until(() => steps.length > before + 10);
    assert.equal(closed, 0);
    resolve();
    await until(() => closed === 1, 2000, "the end of what was set up too late");
    isMended = true;
    await service.take(changed);
    assert.ok(isWhole(steps), `${steps}`);
  });

  it("with a mistake or a part that cannot be made touches nothing", async () => {
    const sink = spy("x");
    const source = ticking();
    const sources = [source.entry()];
    const service = await serve({ sources, sinks: [sink.entry] });
    const cannot = () => {
      throw new Error("no such file");
    };
    const badSink = defineSink("bad", v.strictObject({}), cannot);
    const badSource = defineSource("bad", v.strictObject({}), cannot);
    for (const config of [
      { sources, sinks: [] },
      { sources, sinks: [badSink()] },
      { sources: [badSource()], sinks: [sink.entry] },
    ] as Config[]) {
      await assert.rejects(service.take(config), ConfigError);
    }
    await assert.rejects(
      service.take(() => Promise.reject(new ConfigError("it does not parse"))),
      /does not parse/,
    );
    assert.deepEqual([sink.told, source.reads.length], [["setup"], 1]);
  });

  it("is refused while mlmon stops", async () => {
    const sources = [ticking().entry()];
    const hanging = spy("x", { deliver: () => new Promise(() => {}) });
    const service = await serve({ sources, sinks: [hanging.entry] }, 1000);
    await until(() => service.status().sinks[0]?.state === "delivering");
    service.stop.abort();
    await assert.rejects(service.take({ sources, sinks: [spy("y").entry] }), /mlmon is stopping/);
    const { status, text } = await service.ask("/-/reload", { method: "POST" });
    assert.deepEqual([status, text], [503, "Cannot change the configuration: mlmon is stopping\n"]);
  });

  it("with a sink that throws when it is asked what it serves starts no worker of it", async () => {
    const steps: number[] = [];
    let isMended = false;
    const serving = defineSink("serving", v.strictObject({}), () => ({
      serve() {
        if (!isMended) throw new Error("no such page");
      },
      render: ({ samples }) => [samples.map(({ step }) => step)],
      async deliver(request: readonly number[]) {
        steps.push(...request);
        return { kind: "delivered" } as const;
      },
    }));
    const sources = [ticking().entry()];
    const kept = spy("kept");
    const service = await serve({ sources, sinks: [kept.entry] });
    const next = { sources, sinks: [kept.entry, serving()] };
    await assert.rejects(service.take(next), /Cannot set up the sink "serving": no such page/);
    const before = kept.steps.length;
    await until(() => kept.steps.length > before + 20);
    assert.deepEqual(steps, []);
    isMended = true;
    await service.take(next);
    await until(() => steps.length > 50);
    assert.ok(isWhole(steps));
  });

  it("lets no sink drop what another one, which did not change after all, still waits for", async () => {
    const away = () => Promise.resolve({ kind: "retry", reason: "away" } as const);
    const host = { retry: { base: "10ms", cap: "20ms" } } as const;
    const sink = defineSink("away", v.strictObject({}), () => ({ render: () => [1], deliver: away }));
    const pauses = (whenFull: "pause" | "drop-oldest") => sink({}, { ...host, id: "pauses", whenFull });
    const drops = sink({}, { ...host, id: "drops", whenFull: "drop-oldest" });
    const sources = [ticking().entry()];
    const service = await serve({ sources, sinks: [pauses("pause"), drops], journal: { maxBytes: 10_000 } });
    await until(() => service.status().journal.full);
    const broken = defineTransform("broken", v.strictObject({}), () => {
      throw new Error("it cannot be made");
    });
    await assert.rejects(service.take({ sources, transforms: [broken()], sinks: [pauses("drop-oldest"), drops] }));
    // Wakes the sinks, as each change of the journal does.
    await service.ask("/api/v1/queue/replay", { method: "POST", body: "{}" });
    const retries = () => service.status().sinks[1]?.requests.retry ?? 0;
    const before = retries();
    await until(() => retries() > before + 3);
    assert.deepEqual(
      service.status().sinks.map(({ dropped }) => dropped),
      [0, 0],
    );
  });

  it("that cannot place the last of several new sinks leaves no place of the others behind", async () => {
    const memory = await openJournal({ path: ":memory:", maxBytes: 1e9, now: Date.now });
    const journal: Journal = {
      ...memory,
      commit: (consumer, ...rest) =>
        consumer === sinkOwner("last")
          ? Promise.reject(new Error("the disk is full"))
          : memory.commit(consumer, ...rest),
    };
    const sources = [ticking().entry()];
    const kept = spy("kept");
    const resolve = (sinks: readonly (typeof kept)[]) =>
      resolveConfig({ sources, sinks: sinks.map(({ entry }) => entry) }, { origin: "test", secrets: "required" });
    const [first, next] = [resolve([kept]), resolve([kept, spy("new"), spy("last")])];
    const pipeline = await openPipeline({
      config: first,
      journal,
      log: silentLog,
      send: createSender({ version: "0" }),
      once: false,
      ownMetrics: async () => "",
      now: Date.now,
    });
    const stop = new AbortController();
    const running = pipeline.run(stop.signal);
    const differences = compareConfigs(markConfig(first, [], 0), markConfig(next, [], 0));
    await assert.rejects(pipeline.apply(next, differences), /the disk is full/);
    assert.deepEqual(memory.consumers().map(sinkOf).filter(Boolean), ["kept"]);
    stop.abort();
    await running;
    await pipeline.close();
    await memory.close();
  });
});
