/**
 * First sync of 1000 runs × 20 metrics × 100 steps over REST, by the binary, against bare requests for the same points.
 *
 * The peer asks by the cheapest exact way (`get-history-bulk`, 100 runs of one key a request, 4 in flight) and parses
 * the answers; it keeps and delivers nothing. Goal: ≤ 1.1 × its time. RUNS=100 makes a smaller store.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStore } from "./store.ts";

const shape = { runs: Number(process.env.RUNS ?? 1000), keys: 20, steps: 100 };
const points = shape.runs * shape.keys * shape.steps;
const binary = join(import.meta.dirname, "../dist/mlmon");
const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
const store = await startStore(shape);
try {
  // Each twice and in turn, for the machine is noisy.
  const bare = [await timed(readBare)];
  const ours = [await timed(exportOnce)];
  bare.push(await timed(readBare));
  ours.push(await timed(exportOnce));
  const [best, mine] = [Math.min(...bare), Math.min(...ours)];
  console.log(`${points} points in ${shape.runs} runs`);
  console.log(
    `bare requests   ${best.toFixed(1)} s   ${Math.round(points / best)} points/s   (${bare.map((s) => s.toFixed(1))})`,
  );
  console.log(
    `mlmon           ${mine.toFixed(1)} s   ${Math.round(points / mine)} points/s   (${ours.map((s) => s.toFixed(1))})`,
  );
  console.log(`ratio           ${(mine / best).toFixed(2)}   (goal: 1.1)`);
} finally {
  await store.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function timed(work: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const read = await work();
  if (read !== points) throw new Error(`read ${read} of ${points} points`);
  return (performance.now() - start) / 1000;
}

async function readBare(): Promise<number> {
  const calls: string[] = [];
  for (let key = 0; key < shape.keys; key++) {
    for (let from = 0; from < shape.runs; from += 100) {
      const ids = Array.from({ length: Math.min(100, shape.runs - from) }, (_, run) => runId(from + run));
      calls.push(`${ids.map((id) => `run_id=${id}`).join("&")}&metric_key=metric_${key}&max_results=25000`);
    }
  }
  let read = 0;
  async function lane(): Promise<void> {
    for (let call = calls.pop(); call !== undefined; call = calls.pop()) {
      const answer = await fetch(`${store.url}/ajax-api/2.0/mlflow/metrics/get-history-bulk?${call}`);
      const { metrics } = (await answer.json()) as { metrics: unknown[] };
      read += metrics.length;
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()]);
  return read;
}

async function exportOnce(): Promise<number> {
  const config = join(folder, "mlmon.config.ts");
  writeFileSync(
    config,
    `import { defineConfig, mlflow } from "mlmon";
import { console } from "mlmon/plugins/console";
export default defineConfig({ sources: [mlflow({ trackingUri: "${store.url}" })], sinks: [console({ path: "/dev/null" })] });
`,
  );
  const out = execFileSync(binary, ["export-once", "--json", "--config", config], { cwd: folder, encoding: "utf8" });
  return (JSON.parse(out) as { read: number }).read;
}

function runId(run: number): string {
  return run.toString(16).padStart(8, "0").padEnd(32, "b");
}
