import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import { createDemoStore } from "../../src/demo/store.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { serve } from "../../src/runtime/serve.ts";
import { simulatePast } from "../../src/sample/simulate.ts";
import { freePort, until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { options } from "../mlflow/memory.ts";
import { folderWith } from "./fixed-samples.ts";
import { mlmon } from "./mlmon.ts";

const config = (mlflow: string, receiver: string) => `
import { mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
export default {
  sources: [mlflow({ trackingUri: "${mlflow}", interval: "1s" })],
  sinks: [pramathus({ endpoint: "${receiver}/hooks/T0-webhook?team=hidden-team", apiKey: secret.env("THE_KEY") })],
};`;

describe("mlmon run --log-level debug", () => {
  it("tells each request to MLflow, each poll and each request of a sink, without a secret, a query or the path of a webhook", async () => {
    const served = await serve(createMlflowApp(createDemoStore()).fetch, { hostname: "127.0.0.1", port: 0 });
    const receiver = await startReceiver();
    const trackingUri = `http://127.0.0.1:${served.port}`;
    const writer = createWriter(options(trackingUri));
    await simulatePast({ writer, runs: 1, steps: 5, seed: 1, signal: new AbortController().signal });
    await using folder = await folderWith({ "mlmon.config.ts": config(trackingUri, receiver.url) });
    const listen = `127.0.0.1:${await freePort()}`;
    let pid = 0;
    const running = mlmon(["run", "--log-level", "debug", "--listen", listen], {
      cwd: folder.path,
      env: { THE_KEY: "hunter2hunter2" },
      onStarted: (child) => (pid = child),
    });
    await until(async () => receiver.received.length > 0 && (await fetch(`http://${listen}/-/ready`)).ok);
    process.kill(pid, "SIGTERM");
    const { status, stderr } = await running;
    await served.stop();
    await receiver.stop();
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /DEBUG MLflow was asked method=POST path=\/api\/2\.0\/mlflow\/runs\/search status=200 ms=\d+ bytes=\d+$/m,
    );
    assert.match(stderr, /DEBUG MLflow was polled experiments=2 behind=(true|false) ms=\d+$/m);
    const sent = `sink=pramathus method=POST to=${receiver.url} bytes=\\d+ outcome=delivered ms=\\d+ samples=30$`;
    assert.match(stderr, new RegExp(`DEBUG Sink was sent a request ${sent}`, "m"));
    assert.doesNotMatch(stderr, /hunter2|hidden-team|T0-webhook|\?/);
  });
});
