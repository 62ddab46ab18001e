import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A real MLflow on a free port with an SQLite store, one for all test files of a process. */
export interface RealServer {
  readonly skip: false | string;
  readonly url: string;
}

const venv = fileURLToPath(new URL("../../.cache/beds/mlflow-3.17.2", import.meta.url));
let started: Promise<RealServer> | undefined;

/** Starts it at the first call; it ends with the process. */
export function realServer(): Promise<RealServer> {
  started ??= start();
  return started;
}

async function start(): Promise<RealServer> {
  const given = process.env.MLMON_TEST_MLFLOW;
  if (given) return { skip: false, url: given };
  if (!existsSync(join(venv, "bin/mlflow"))) return { skip: `no MLflow at ${venv}`, url: "" };
  const folder = mkdtempSync(join(tmpdir(), "mlmon-mlflow-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"];
  const store = [
    "--backend-store-uri",
    `sqlite:///${folder}/mlflow.db`,
    "--artifacts-destination",
    `${folder}/artifacts`,
  ];
  const child = spawn(join(venv, "bin/mlflow"), [...args, ...store], {
    stdio: "ignore",
    env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true" },
  });
  process.on("exit", () => {
    child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
  await ready(url, child);
  child.unref();
  return { skip: false, url };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${url}/version`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`MLflow did not start at ${url}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
