import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { serve } from "../../src/runtime/serve.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { mlmon } from "./mlmon.ts";

describe("mlmon health", () => {
  it("ends with 0 when mlmon is healthy, found by the flag or the variable, on every address", async () => {
    await using folder = await temporaryFolder();
    const served = await serve(() => new Response("healthy\n"), { hostname: "127.0.0.1", port: 0 });
    try {
      const flag = await mlmon(["health", "--listen", `127.0.0.1:${served.port}`], { cwd: folder.path });
      assert.deepEqual(flag, { status: 0, stdout: "healthy\n", stderr: "" });
      const env = { MLMON_LISTEN: `0.0.0.0:${served.port}` };
      assert.equal((await mlmon(["health"], { cwd: folder.path, env })).status, 0);
    } finally {
      await served.stop();
    }
  });

  it("ends with 1 when nothing listens, or something else does", async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    const away = await mlmon(["health", "--listen", `127.0.0.1:${port}`], { cwd: folder.path });
    assert.deepEqual([away.status, away.stdout], [1, ""]);
    assert.equal(away.stderr, `mlmon: No healthy mlmon at http://127.0.0.1:${port}/-/healthy\n`);

    const receiver = await startReceiver(() => ({ status: 503 }));
    try {
      const listen = receiver.url.slice("http://".length);
      const { status, stderr } = await mlmon(["health", "--listen", listen], { cwd: folder.path });
      assert.equal(status, 1);
      assert.match(stderr, /: it answers 503\n$/);
    } finally {
      await receiver.stop();
    }
  });

  it("asks where the configuration says, and the default one when that was spoilt", async () => {
    await using folder = await temporaryFolder();
    const served = await serve(() => new Response("healthy\n"), { hostname: "127.0.0.1", port: 0 });
    const write = (listen: string) =>
      writeFile(
        join(folder.path, "mlmon.config.js"),
        `import { defineConfig, mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
const sink = pramathus({ endpoint: "http://localhost:1", apiKey: secret.env("NOT_SET_IN_A_PROBE") });
export default defineConfig({ sources: [mlflow()], sinks: [sink], server: { listen: "${listen}" } });`,
      );
    try {
      await write(`127.0.0.1:${served.port}`);
      assert.deepEqual(await mlmon(["health"], { cwd: folder.path }), { status: 0, stdout: "healthy\n", stderr: "" });
      await write("nowhere");
      const { stderr } = await mlmon(["health"], { cwd: folder.path });
      assert.match(stderr, /Cannot use the configuration/);
      assert.doesNotMatch(stderr, /at http:\/\/(?!127\.0\.0\.1:9890)/);
    } finally {
      await served.stop();
    }
  });

  it("ends with 1 for another server that calls itself healthy", async () => {
    await using folder = await temporaryFolder();
    const served = await serve(() => new Response("OK"), { hostname: "127.0.0.1", port: 0 });
    try {
      const { status, stderr } = await mlmon(["health", `--listen=127.0.0.1:${served.port}`], { cwd: folder.path });
      assert.equal(status, 1);
      assert.match(stderr, /No mlmon at .*: something else answers there\n$/);
    } finally {
      await served.stop();
    }
  });

  it("ends with 2 for an address that is none", async () => {
    await using folder = await temporaryFolder();
    const { status, stderr } = await mlmon(["health", "--listen", "nowhere"], { cwd: folder.path });
    assert.equal(status, 2);
    assert.match(stderr, /Cannot use --listen "nowhere": expected host:port/);
  });

  it("asks the IPv6 loopback and another host where mlmon listens there", async () => {
    await using folder = await temporaryFolder();
    const served = await serve(() => new Response("healthy\n"), { hostname: "::1", port: 0 });
    try {
      const { status, stderr } = await mlmon(["health", "--listen", `[::1]:${served.port}`], { cwd: folder.path });
      assert.equal(status, 0, stderr);
    } finally {
      await served.stop();
    }
  });
});
