import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { bed } from "../beds/bed.ts";
import type { Started } from "../beds/process.ts";
import { startPrometheus, startPushgateway } from "../beds/servers.ts";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { type Ended, runBinary, startBinary, takeBinary, writeAll } from "./binary.ts";

const mlflow = await bed("mlflow");
const servers = await bed("servers");
const binary = takeBinary();
after(() => binary.remove());

// A user's own sink: one line for each point.
const lines = `import { defineHttpSink, v } from "mlmon";
import { line } from "./line";
export const lines = defineHttpSink("lines", v.strictObject({ url: v.string() }), ({ url }) => ({
  render: ({ samples }) => [{ method: "POST", url, body: samples.map(line).join("\\n") }],
}));`;
const line = `import type { Sample } from "mlmon";
export const line = ({ run, name, value, step, time }: Sample) => [run?.name, name, step, value, time].join(" ");`;
const config = `import { defineConfig, env, mlflow } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
import { lines } from "./plugins/lines.ts";
export default defineConfig({
  sources: [mlflow({ interval: "1s", experiments: ["churn-prediction", "image-classification", "demand-forecast"] })],
  sinks: [
    prometheus(),
    pushgateway({ endpoint: env("PROMETHEUS_GATEWAY"), job: "first-use" }),
    lines({ url: env("LINES") + "/lines" }, { match: (sample) => sample.run !== undefined }),
  ],
});`;

describe("the binary and real servers", { skip: mlflow.skip || servers.skip }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: Started;
  let receiver: Receiver;
  let listen: string;
  let env: Readonly<Record<string, string>>;

  const mlmon = async (...args: readonly string[]): Promise<Ended> => {
    const ended = await runBinary(binary.path, args, folder.path, env);
    assert.equal(ended.status, 0, ended.stderr);
    return ended;
  };

  before(async () => {
    folder = await temporaryFolder();
    await writeAll(folder.path, { "mlmon.config.ts": config, "plugins/lines.ts": lines, "plugins/line.ts": line });
    gateway = await startPushgateway();
    receiver = await startReceiver();
    listen = `127.0.0.1:${await freePort()}`;
    env = {
      MLFLOW_TRACKING_URI: mlflow.url,
      PROMETHEUS_GATEWAY: gateway.url,
      LINES: receiver.url,
      MLMON_LISTEN: listen,
    };
    await mlmon("generate-sample", "--runs", "3", "--steps", "4");
  });
  after(async () => {
    await receiver?.stop();
    await gateway?.stop();
    await folder?.remove();
  });

  it("doctor finds nothing to mend", async () => {
    assert.match((await mlmon("doctor")).stdout, /version: \d.*Nothing to mend/s);
  });

  it("dry-run contacts no sink and shows what the user's plugin then sends by export-once", async () => {
    const preview = JSON.parse((await mlmon("dry-run", "--sink", "lines", "--json", "--limit", "1000")).stdout);
    assert.equal(receiver.received.length, 0);
    const shown: string[] = preview.sinks[0].requests.map(({ body }: { body: string }) => body);
    const { sinks } = JSON.parse((await mlmon("export-once", "--json")).stdout);
    assert.deepEqual(receiver.stored(), shown);
    assert.match(shown.join("\n"), /^\S+ accuracy 0 0\.\d+ \d{13}$/m);
    for (const { id, deadLetters, waiting } of sinks) assert.deepEqual([id, deadLetters, waiting], [id, 0, 0]);
  });

  it("export-once has filled the Pushgateway", async () => {
    const page = await (await fetch(`${gateway.url}/metrics`)).text();
    assert.match(page, /^mlflow_accuracy\{.*job="first-use".*\} 0\.\d+$/m);
    assert.match(page, /^mlflow_run_info\{/m);
  });

  it("export-once with a state folder sends a second time only what is new", async () => {
    const first = JSON.parse((await mlmon("export-once", "--state", "state", "--json")).stdout);
    const second = JSON.parse((await mlmon("export-once", "--state", "state", "--json")).stdout);
    const delivered = (result: typeof first) => result.sinks.find(({ id }: { id: string }) => id === "lines").delivered;
    assert.ok(delivered(first) > 0);
    assert.equal(delivered(second), 0);
  });

  it("run feeds a real Prometheus, answers the questions of the README, and ends with 0 at SIGTERM", async () => {
    const prometheus = await startPrometheus({
      config: `scrape_configs: [{ job_name: mlmon, scrape_interval: 1s, static_configs: [{ targets: ["${listen}"] }] }]\n`,
    });
    const child = startBinary(binary.path, ["run"], folder.path, env);
    const ended = once(child, "exit");
    try {
      await until(async () => (await fetch(`http://${listen}/-/ready`)).ok);
      for (const query of ["avg(mlflow_accuracy)", "count by (experiment_name) (mlflow_accuracy)"]) {
        const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`;
        await until(async () => JSON.parse(await (await fetch(url)).text()).data.result.length > 0, 30_000, query);
      }
    } finally {
      if (child.pid) process.kill(child.pid, "SIGTERM");
      await prometheus.stop();
    }
    assert.deepEqual(await ended, [0, null]);
  });

  it("says that the port is in use and how to choose another one", async () => {
    const { port } = new URL(gateway.url);
    const ended = await runBinary(binary.path, ["run", "--listen", `127.0.0.1:${port}`], folder.path, env);
    assert.match(
      ended.stderr,
      new RegExp(`^mlmon: Cannot listen on 127.0.0.1:${port}: the port is in use; .*--listen`, "m"),
    );
    assert.equal(ended.status, 1);
  });
});
