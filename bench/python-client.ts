/**
 * Export of 100 runs × 20 metrics × 100 steps over REST to an HTTP receiver, by the binary, against the plain Python
 * script that people write: MLflow's client, one call a metric of a run, 100 points a request. RUNS changes the store.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { mlflowEnvironment, startStore } from "./store.ts";

const execute = promisify(execFile);
const shape = { runs: Number(process.env.RUNS ?? 100), keys: 20, steps: 100 };
const points = shape.runs * shape.keys * shape.steps;
const root = join(import.meta.dirname, "..");
const python = join(mlflowEnvironment(), "bin/python");
const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
const store = await startStore(shape);
const receiver = createServer((request, response) => {
  request.resume().once("end", () => response.end("{}"));
}).listen(0, "127.0.0.1");
await new Promise((resolve) => receiver.once("listening", resolve));
const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/api/metrics`;
try {
  const script = await timed(async () => {
    const { stdout } = await execute(python, [join(import.meta.dirname, "python-client.py"), store.url, endpoint]);
    return Number(stdout);
  });
  const mlmon = await timed(exportOnce);
  console.log(`${points} points in ${shape.runs} runs`);
  console.log(`Python script   ${script.toFixed(1)} s   ${Math.round(points / script)} points/s`);
  console.log(`mlmon           ${mlmon.toFixed(1)} s   ${Math.round(points / mlmon)} points/s`);
  console.log(`times as fast   ${(script / mlmon).toFixed(1)}`);
} finally {
  receiver.close();
  await store.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function timed(work: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const read = await work();
  if (read !== points) throw new Error(`read ${read} of ${points} points`);
  return (performance.now() - start) / 1000;
}

async function exportOnce(): Promise<number> {
  const config = join(folder, "mlmon.config.ts");
  writeFileSync(
    config,
    `import { defineConfig, mlflow } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
export default defineConfig({
  sources: [mlflow({ trackingUri: "${store.url}" })],
  sinks: [pramathus({ endpoint: "${endpoint}" })],
});
`,
  );
  const command = join(root, "dist/mlmon");
  const { stdout } = await execute(command, ["export-once", "--json", "--config", config], { cwd: folder });
  return (JSON.parse(stdout) as { sinks: { delivered: number }[] }).sinks[0]?.delivered ?? 0;
}
