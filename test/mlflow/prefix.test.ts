import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { type Started, startProcess } from "../beds/process.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";
import { compare, emittedPoints, serverPoints } from "./judge.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { countingProxy } from "./proxy.ts";

const { skip, python } = await bed("mlflow");
const timeout = 240_000;

/** An MLflow under a path, behind the web server that takes no request line beyond 4094 bytes. */
describe("mlflow source of a server under --static-prefix and gunicorn", { skip }, () => {
  let started: Started;
  before(
    async () => {
      const { path: folder } = await temporaryFolder();
      const port = await freePort();
      const store = [
        "--backend-store-uri",
        `sqlite:///${folder}/mlflow.db`,
        "--artifacts-destination",
        `${folder}/files`,
      ];
      const server = ["--host", "127.0.0.1", "--port", String(port), "--static-prefix", "/ml/flow"];
      started = await startProcess({
        name: "MLflow under a path",
        command: [join(dirname(python), "mlflow"), "server", ...server, "--gunicorn-opts", "--timeout 60", ...store],
        folder,
        url: `http://127.0.0.1:${port}`,
        ready: "/ml/flow/health",
        deadlineMs: 180_000,
        env: { MLFLOW_DISABLE_TELEMETRY: "true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" },
      });
    },
    { timeout },
  );
  after(() => started.stop());

  it("reads the longest keys of many runs at once, and every point", { timeout }, async () => {
    const tooLong = await fetch(`${started.url}/ml/flow/health?${"a".repeat(4100)}`);
    assert.equal(tooLong.status, 400);
    const writer = createWriter(options(`${started.url}/ml/flow`));
    const experiment = await writer.createExperiment("long keys");
    const key = "指".repeat(250);
    const runs: string[] = [];
    for (let i = 0; i < 100; i++) {
      const run = await writer.createRun(experiment, { startTime: 1000 + i });
      await writer.logBatch(run, [{ key, value: i, timestamp: 1000, step: -i }]);
      runs.push(run);
    }
    const proxy = await countingProxy(started.url);
    const journal = memoryJournal();
    const source = mlflowSource(options(`${proxy.url}/ml/flow/`, { experiments: ["long keys"] }));
    for await (const batch of source.read(context(journal))) journal.take(batch);
    proxy.close();
    for (const run of runs.slice(0, 3)) {
      const { missing, extra } = compare(
        await serverPoints(`${started.url}/ml/flow`, run),
        emittedPoints(journal.batches, run),
      );
      assert.deepEqual([missing, extra], [[], []]);
    }
    assert.equal(journal.batches.flatMap(({ samples }) => samples).length, 100);
    const reads = proxy.seen.filter(({ path }) => path.includes("get-history"));
    assert.ok(reads.length <= 4, `${reads.length} requests`);
    assert.ok(reads.some(({ path }) => path.length > 3500));
  });
});
