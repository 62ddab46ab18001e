/**
 * Resident memory of the binary with 100 000 live series on `/metrics`, scraped every second. Goal: ≤ 120 MB.
 *
 * The peer is the binary with an empty store in the same run. The series come from a user's source in the configuration,
 * so that no MLflow is needed: 1000 runs × 96 metrics, every value new every 10 s.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = join(import.meta.dirname, "../dist/mlmon");
const empty = await measure(0);
const full = await measure(1000);
console.log(`empty            ${megabytes(empty.resident)} resident, peak ${megabytes(empty.peak)}`);
console.log(
  `${full.series} series   ${megabytes(full.resident)} resident, peak ${megabytes(full.peak)}   (goal: 120 MB)`,
);
console.log(`page             ${megabytes(full.page)}, answered in ${full.scrapeMs.toFixed(1)} ms (median)`);

async function measure(runs: number) {
  const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
  const config = join(folder, "mlmon.config.ts");
  writeFileSync(config, configText(runs));
  const port = 20_000 + (process.pid % 10_000);
  const flags = ["run", "--config", config, "--listen", `127.0.0.1:${port}`];
  const child = spawn(binary, flags, { cwd: folder, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const times: number[] = [];
  let series = 0;
  let page = 0;
  let resident = 0;
  try {
    for (let round = 0; round < 30; round++) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const start = performance.now();
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
      const text = (await answer?.text()) ?? "";
      times.push(performance.now() - start);
      page = text.length;
      series = Number(/^mlmon_series (\d+)/m.exec(text)?.[1] ?? 0);
      resident = memory(child.pid, "VmRSS");
    }
    return { resident, peak: memory(child.pid, "VmHWM"), series, page, scrapeMs: times.sort((a, b) => a - b)[15] ?? 0 };
  } finally {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function memory(pid: number | undefined, name: string): number {
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function configText(runs: number): string {
  return `import { defineConfig, defineSource, v } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
const many = defineSource("many", v.strictObject({}), () => ({
  async *read(ctx) {
    const experiment = { id: "1", name: "bench" };
    const all = Array.from({ length: ${runs} }, (_, index) => ({
      id: String(index).padStart(8, "0").padEnd(32, "a"), name: "run " + index, experiment, status: "running" as const,
      startTime: Date.now(), user: "bench", stage: "None", tags: {}, params: {},
    }));
    for (let step = 0; !ctx.signal.aborted; step++) {
      const time = Date.now();
      for (let from = 0; from < all.length; from += 100) {
        const runs = all.slice(from, from + 100);
        yield {
          time, ended: [], runs: step === 0 ? runs : [],
          samples: runs.flatMap((run) => Array.from({ length: 96 }, (_, key) => ({ name: "metric_" + key, value: step + key / 7, time, step, run }))),
        };
      }
      ctx.polled({ ok: true, nextMs: 10_000 });
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    }
  },
}));
export default defineConfig({ sources: [many()], sinks: [prometheus()] });
`;
}
