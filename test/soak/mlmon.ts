import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, until } from "../beds/wait.ts";

/** An mlmon under observation. */
export interface SoakedMlmon {
  readonly pid: number;
  readonly url: string;
  /** Holds the journal. */
  readonly stateDir: string;
  readonly logFile: string;
  /** Whether it still runs. */
  runs(): boolean;
  /** Ends it in order and removes its folder. */
  stop(): Promise<void>;
}

export interface SoakedOptions {
  /** The binary. */
  readonly program: string;
  readonly mlflow: string;
  readonly receivers: string;
  readonly interval: string;
  readonly retention: string;
  /** The names of the experiments to read, `*` for any characters. */
  readonly experiments: string;
  /** Keeps a kilobyte of every run for ever, to show that the soak finds it. */
  readonly leak: boolean;
}

/** Starts the binary with every sink and a transform that remembers something of each series. */
export async function startSoaked(options: SoakedOptions): Promise<SoakedMlmon> {
  const folder = await mkdtemp(join(tmpdir(), "mlmon-soak-"));
  await writeFile(join(folder, "mlmon.config.ts"), configText(options));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const stateDir = join(folder, "state");
  const logFile = join(folder, "log");
  const flags = ["run", "--config", "mlmon.config.ts", "--listen", `127.0.0.1:${port}`, "--state", stateDir];
  const child = spawn(options.program, flags, { cwd: folder, stdio: ["ignore", "ignore", openSync(logFile, "a")] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const end = () => void child.kill("SIGKILL");
  process.once("exit", end);
  await until(async () => (await fetch(`${url}/-/healthy`)).ok, 30_000, "mlmon to listen");
  return {
    pid: child.pid ?? 0,
    url,
    stateDir,
    logFile,
    runs: () => isRunning(child),
    async stop() {
      if (isRunning(child) && child.pid) process.kill(child.pid, "SIGTERM");
      await ended;
      process.off("exit", end);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

function configText({ mlflow, receivers, interval, retention, experiments, leak }: SoakedOptions): string {
  return `import { defineConfig, defineTransform, mlflow, thin, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
const kept = new Map<string, string>();
const leaky = defineTransform("leaky", v.strictObject({}), () => (batch) => {
  for (const run of batch.runs ?? []) kept.set(run.id, \`\${run.id}\${"é".repeat(512)}\`);
  return batch;
});
export default defineConfig({
  sources: [mlflow({ trackingUri: "${mlflow}", interval: "${interval}", experiments: ["${experiments}"] })],
  transforms: [thin({ interval: "1ms" }), ${leak} && leaky({})],
  sinks: [
    prometheus(),
    pushgateway({ endpoint: "${receivers}", groupBy: "experiment" }),
    pramathus({ endpoint: "${receivers}/api/metrics" }),
  ],
  series: { retention: "${retention}" },
});
`;
}
