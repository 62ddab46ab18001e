import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { mlmon } from "./mlmon.ts";

/** A source of one sample every 10 ms, with these sinks. */
const config = (sinks: string) => `
import { defineSource, secret, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
const run = { id: "a".repeat(32), name: "r", experiment: { id: "1", name: "e" }, status: "running", startTime: 0,
  user: "", stage: "None", tags: {}, params: {} } as const;
const ticks = defineSource("ticks", v.strictObject({}), () => ({
  async *read({ signal, state, polled }) {
    polled({ ok: true, nextMs: 1000 });
    for (let step = Number(state.get("next") ?? 0); !signal.aborted; step++) {
      const time = Date.now();
      state.set("next", String(step + 1));
      yield { time, ended: [], runs: [run], samples: [{ name: "x", value: step, time, step, run }] };
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },
}));
export default { sources: [ticks()], sinks: [prometheus(), ${sinks}] };`;

/** Starts \`mlmon run\` in a folder and waits until it serves. */
async function start(folder: string, flags: readonly string[] = []) {
  const port = await freePort();
  let pid = 0;
  let isStopped = false;
  const ending = mlmon(["run", "--listen", `127.0.0.1:${port}`, ...flags], {
    cwd: folder,
    onStarted(started) {
      pid = started;
    },
  });
  await until(async () => (await fetch(`http://127.0.0.1:${port}/-/healthy`)).ok);
  const reloads = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/api/v1/status`)).text();
    return JSON.parse(text).reload as { successful: boolean; lastSuccess: number };
  };
  return {
    pid,
    reloads,
    signal: (name: NodeJS.Signals) => process.kill(pid, name),
    stop() {
      if (!isStopped) process.kill(pid, "SIGTERM");
      isStopped = true;
      return ending;
    },
  };
}

describe("run", () => {
  it("reads secrets from files again at SIGHUP, so that a paused sink goes on at once", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    await writeFile(at("key"), "the-old-key\n");
    const gate = await startReceiver((_, index) => (index === 0 ? { status: 401 } : undefined));
    await writeFile(
      at("mlmon.config.ts"),
      config(`pramathus({ endpoint: "${gate.url}", apiKey: secret.file("key") })`),
    );
    const service = await start(folder.path);
    try {
      await until(() => gate.received.length === 1);
      await writeFile(at("key"), "the-new-key\n");
      service.signal("SIGHUP");
      // Without the reload the next attempt would be 30 s after the first.
      await until(() => gate.received.length > 2, 10_000);
      const keys = gate.received.slice(0, 2).map(({ headers }) => headers.authorization);
      assert.deepEqual(keys, ["Bearer the-old-key", "Bearer the-new-key"]);
    } finally {
      await service.stop();
      await gate.stop();
    }
    const { status, stderr } = await service.stop();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /loaded again by=SIGHUP sinks="changed pramathus"/);
    assert.ok(!stderr.includes("the-new-key"));
  });

  it("keeps its configuration when the file it has found by itself is gone", async () => {
    await using folder = await temporaryFolder();
    const receiver = await startReceiver();
    const file = join(folder.path, "mlmon.config.ts");
    await writeFile(file, config(`pramathus({ endpoint: "${receiver.url}" })`));
    const service = await start(folder.path);
    try {
      await until(() => receiver.received.length > 0);
      await rm(file);
      service.signal("SIGHUP");
      await until(async () => !(await service.reloads()).successful);
      const count = receiver.received.length;
      await until(() => receiver.received.length > count + 2);
    } finally {
      await service.stop();
      await receiver.stop();
    }
    assert.match((await service.stop()).stderr, /Cannot find the configuration \\"mlmon\.config\.ts\\"/);
  });

  it("with --watch follows a change of the file and of what it imports, and outlives a mistake", async () => {
    await using folder = await temporaryFolder();
    const [one, two] = [await startReceiver(), await startReceiver()];
    const at = (name: string) => join(folder.path, name);
    const imported = (url: string) => `export const endpoint: string = ${JSON.stringify(url)};\n`;
    const main = `import { endpoint } from "./endpoint";\n${config("pramathus({ endpoint })")}`;
    await writeFile(at("endpoint.ts"), imported(one.url));
    await writeFile(at("mlmon.config.ts"), main);
    const service = await start(folder.path, ["--watch"]);
    try {
      await until(() => one.received.length > 0);
      await writeFile(at("endpoint.ts"), imported(two.url));
      await until(() => two.received.length > 0);
      await writeFile(at("endpoint.ts"), "export const endpoint: string = [;\n");
      await until(async () => !(await service.reloads()).successful);
      const count = two.received.length;
      await until(() => two.received.length > count + 5);
      await writeFile(at("endpoint.ts"), imported(one.url));
      await until(async () => (await service.reloads()).successful);
      const after = one.received.length;
      await until(() => one.received.length > after);
    } finally {
      await service.stop();
      await one.stop();
      await two.stop();
    }
    const { status, stderr } = await service.stop();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /ERROR The configuration was not loaded again .* by=--watch reason=".*endpoint\.ts line 1/);
    const steps = (bodies: readonly string[]) =>
      bodies.flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
    const all = [...steps(one.stored()), ...steps(two.stored())].sort((a, b) => a - b);
    assert.deepEqual(all, [...Array(all.length).keys()]);
  });
});
