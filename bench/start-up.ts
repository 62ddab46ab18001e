/**
 * Start-up of the binary until a configuration is loaded and checked (`mlmon validate`), and its size.
 *
 * The peer is the same work from source under Bun. Goal: ≤ 50 ms (design of the binary: `--bytecode`).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const binary = join(root, "dist/mlmon");
const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
const config = join(folder, "mlmon.config.ts");
writeFileSync(
  config,
  `import { defineConfig, mlflow } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
export default defineConfig({ sources: [mlflow()], sinks: [prometheus()] });
`,
);

try {
  const compiled = median(binary, ["validate", "--config", config]);
  const source = median(process.execPath, ["--no-install", join(root, "src/cli.ts"), "validate", "--config", config]);
  const bare = median(binary, ["--version"]);
  console.log(`binary, configuration loaded   ${compiled.toFixed(1)} ms   (goal: 50 ms)`);
  console.log(`binary, --version              ${bare.toFixed(1)} ms`);
  console.log(`from source under Bun          ${source.toFixed(1)} ms   ratio ${(source / compiled).toFixed(1)}`);
  console.log(`size of the binary             ${(statSync(binary).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The median of 21 runs in ms, after three that warm the page cache. */
function median(file: string, args: readonly string[]): number {
  const times: number[] = [];
  for (let run = 0; run < 24; run++) {
    const start = performance.now();
    execFileSync(file, args, { cwd: folder, stdio: "ignore" });
    if (run >= 3) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[10] ?? Number.NaN;
}
