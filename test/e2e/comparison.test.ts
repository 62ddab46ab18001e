import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { bed } from "../beds/bed.ts";
import { logAwkward } from "./awkward.ts";
import { judge, outOfOrder, type Point } from "./judge.ts";
import { type PramathusReceiver, startPramathus } from "./pramathus-receiver.ts";
import { programs } from "./programs.ts";

const mlflow = await bed("mlflow");

describe("export-once compared with MLflow's own client", { skip: mlflow.skip }, () => {
  let expected: readonly Point[];
  let experiment: string;
  let folder: string;
  let pramathus: PramathusReceiver;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlmon-e2e-"));
    ({ experiment, points: expected } = await logAwkward(mlflow));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const program of programs) {
    it(`${program.name} delivers 0 missing, 0 extra, 0 altered points to Pramathus`, {
      skip: program.skip,
    }, async () => {
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

/** The time of the batch is the only thing that may differ between a preview and a delivery. */
function withoutBatchTime(body: string): string {
  return body.replace(/"timestamp":\d+/, '"timestamp":0');
}
