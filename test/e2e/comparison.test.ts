import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { bed } from "../beds/bed.ts";
import { judge, outOfOrder, type Point } from "./judge.ts";
import { type PramathusReceiver, startPramathus } from "./pramathus-receiver.ts";
import { programs } from "./programs.ts";

const run = promisify(execFile);
const mlflow = await bed("mlflow");
const awkwardScript = join(import.meta.dirname, "awkward.py");

/** What MLflow's own client says is in the store; numbers as Python prints them. */
interface Expected {
  readonly experiment: string;
  readonly runs: readonly string[];
  readonly points: readonly (readonly [run: string, key: string, value: string, time: string, step: string])[];
}

describe("export-once compared with MLflow's own client", { skip: mlflow.skip }, () => {
  let expected: readonly Point[];
  let experiment: string;
  let folder: string;
  let pramathus: PramathusReceiver;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlmon-e2e-"));
    experiment = `awkward ${process.pid} ${Date.now()}`;
    const { stdout } = await run(mlflow.python, [awkwardScript, mlflow.url, experiment], { maxBuffer: 64 * 1024 ** 2 });
    // MLflow's client prints where to look at each run before it
    expected = expectedPoints(JSON.parse(stdout.slice(stdout.indexOf('{"experiment"'))));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const program of programs) {
    it(`${program.name} delivers 0 missing, 0 extra, 0 altered points to Pramathus`, { skip: program.skip }, async () => {
      pramathus = await startPramathus();
      try {
        const config = join(folder, `${program.name}.config.ts`);
        await writeFile(config, configText(mlflow.url, experiment, pramathus.url));
        await program.run(["export-once", "--config", config], folder);
        const arrived = pramathus.points();
        assert.ok(expected.length > 3000, "the script has logged its points");
        assert.deepEqual(judge(expected, arrived), { missing: [], extra: [] });
        assert.deepEqual(outOfOrder(expected, arrived), []);
      } finally {
        await pramathus.stop();
      }
    });

    it(`${program.name} dry-run shows byte for byte what export-once then sends`, { skip: program.skip }, async () => {
      pramathus = await startPramathus();
      try {
        const config = join(folder, `${program.name}.config.ts`);
        await writeFile(config, configText(mlflow.url, experiment, pramathus.url));
        const preview = await program.run(
          ["dry-run", "--config", config, "--sink", "pramathus", "--format", "json", "--limit", "100000"],
          folder,
        );
        assert.equal(pramathus.bodies.length, 0, "a dry run contacts no sink");
        await program.run(["export-once", "--config", config], folder);
        const previewed: string[] = JSON.parse(preview).sinks[0].requests.map(({ body }: { body: string }) => body);
        assert.ok(previewed.length > 30, "there is something to compare");
        assert.deepEqual(previewed.map(withoutBatchTime), pramathus.bodies.map(withoutBatchTime));
      } finally {
        await pramathus.stop();
      }
    });
  }
});

function configText(trackingUri: string, experiment: string, endpoint: string): string {
  return `import { defineConfig, mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
export default defineConfig({
  sources: [mlflow({ trackingUri: ${JSON.stringify(trackingUri)}, experiments: [${JSON.stringify(experiment)}] })],
  sinks: [pramathus({ endpoint: ${JSON.stringify(endpoint)}, apiKey: secret.literal("key", "a-test-key") })],
});
`;
}

function expectedPoints({ points }: Expected): readonly Point[] {
  return points
    .filter(([, key]) => !key.startsWith("system/"))
    .map(([run, key, value, time, step]) => ({
      run,
      key,
      value: carried(value),
      time: Number(time),
      step: Number(step),
    }));
}

/** JSON carries no NaN and no infinity; MLflow's SQL store keeps an infinity as the largest double. */
function carried(python: string): string {
  const value = Number(python);
  return Number.isFinite(value) && Math.abs(value) < Number.MAX_VALUE ? String(value) : "null";
}

/** The time of the batch is the only thing that may differ between a preview and a delivery. */
function withoutBatchTime(body: string): string {
  return body.replace(/"timestamp":\d+/, '"timestamp":0');
}
