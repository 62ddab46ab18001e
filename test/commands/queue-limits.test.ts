import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { type Act, startReceiver } from "../fixtures/receiver.ts";
import { mlmon } from "./mlmon.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A source that gives ten samples whenever it may, and a sink whose journal is small. */
const config = (url: string, host: string) => `
import { defineSource, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
const time = 1_700_000_000_000;
const run = { id: "a".repeat(32), name: "r", experiment: { id: "1", name: "e" }, status: "running", startTime: time,
  user: "", stage: "None", tags: {}, params: {} } as const;
const given = defineSource("given", v.strictObject({}), () => ({
  async *read({ state, signal, polled }) {
    while (!signal.aborted) {
      const from = Number(state.get("step") ?? 0);
      state.set("step", String(from + 10));
      const samples = Array.from({ length: 10 }, (_, index) => ({ name: "loss", value: 1, time, step: from + index, run }));
      yield { time: Date.now(), samples, ended: [] };
      polled({ ok: true, nextMs: 1000 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
}));
export default {
  sources: [given()], sinks: [pramathus({ endpoint: ${JSON.stringify(url)} }, ${host})], journal: { maxBytes: "40kB" },
};`;

/** Runs mlmon with a receiver that is away beside what `work` does. */
async function run(host: string, work: (world: World) => Promise<void>): Promise<string> {
  const folder = await temporaryFolder();
  const away = { is: true };
  const receiver = await startReceiver((): Act => ({ status: away.is ? 503 : 200 }));
  stops.push(receiver.stop, folder.remove);
  await writeFile(join(folder.path, "mlmon.config.ts"), config(receiver.url, host));
  const port = await freePort();
  let pid = 0;
  const ending = mlmon(["run", "--listen", `127.0.0.1:${port}`], {
    cwd: folder.path,
    onStarted: (started) => {
      pid = started;
    },
  });
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  const steps = () =>
    receiver.stored().flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, n]) => Number(n)));
  try {
    await until(() => ask("/-/healthy"), 30_000, "mlmon");
    await work({ ask, away, steps });
  } finally {
    process.kill(pid, "SIGTERM");
  }
  return (await ending).stderr;
}

interface World {
  ask(path: string): Promise<string>;
  readonly away: { is: boolean };
  steps(): readonly number[];
}

describe("a journal that runs full", () => {
  it("is warned of before, pauses reading, and loses nothing", async () => {
    const log = await run("{ retry: { cap: '200ms' } }", async ({ ask, away, steps }) => {
      await until(async () => /^warning: The journal is (full|\d+ % full), .*"pramathus"/m.test(await ask("/-/ready")));
      assert.match(await ask("/"), /banner warn">The journal is/);
      assert.ok(Number(/^mlmon_journal_fill_ratio (\S+)$/m.exec(await ask("/metrics"))?.[1]) > 0.8);
      await until(async () => JSON.parse(await ask("/api/v1/status")).sources[0].state === "full");
      const before = JSON.parse(await ask("/api/v1/status")).sinks[0].waiting;
      away.is = false;
      await until(() => steps().length > before + 100);
      assert.deepEqual(steps(), [...steps().keys()]);
    });
    assert.match(log, /Reading pauses, as the journal is full +source=given bound=bytes/);
    assert.doesNotMatch(log, /does not add up/);
  });

  it("loses the oldest, which are counted and logged once, where a sink drops them", async () => {
    const log = await run("{ whenFull: 'drop-oldest', retry: { cap: '200ms' } }", async ({ ask, away, steps }) => {
      const dropped = async () => JSON.parse(await ask("/api/v1/status")).sinks[0].dropped;
      await until(async () => (await dropped()) > 300);
      assert.match(
        await ask("/metrics"),
        /^mlmon_samples_dropped_total\{sink="pramathus",reason="journal_full"\} \d{3,}$/m,
      );
      away.is = false;
      await until(() => steps().length > 300);
      const arrived = steps();
      assert.ok((arrived[0] ?? 0) > 0);
      assert.deepEqual(
        arrived,
        [...new Set(arrived)].toSorted((one, other) => one - other),
      );
      assert.deepEqual(JSON.parse(await ask("/api/v1/status")).ledgerMismatches, []);
    });
    assert.equal(log.match(/The oldest samples are dropped for this sink/g)?.length, 1, log);
    assert.doesNotMatch(log, /does not add up/);
  });
});
