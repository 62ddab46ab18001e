/** A real MLflow on a store filled straight through SQLite, for benchmarks: shape and free port are the caller's. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface Shape {
  readonly runs: number;
  readonly keys: number;
  readonly steps: number;
  /** How many of the runs are still running. */
  readonly live?: number;
}

export interface Store {
  readonly url: string;
  stop(): Promise<void>;
}

/** The Python environment of a real MLflow, fetched once as for the tests: 40 s, 850 MB. */
export function mlflowEnvironment(): string {
  const script = join(import.meta.dirname, "../test/beds/mlflow.sh");
  return execFileSync(script, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

/** Fills a store with `shape` and starts `mlflow server --workers 1` on it. */
export async function startStore(shape: Shape): Promise<Store> {
  const venv = mlflowEnvironment();
  const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
  const file = join(folder, "mlflow.db");
  const env = { ...process.env, MLFLOW_DISABLE_TELEMETRY: "true" };
  execFileSync(join(venv, "bin/mlflow"), ["db", "upgrade", `sqlite:///${file}`], { env, stdio: "ignore" });
  fill(file, shape);
  const port = await freePort();
  const args = ["server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1"];
  const stores = ["--backend-store-uri", `sqlite:///${file}`, "--artifacts-destination", join(folder, "artifacts")];
  const child = spawn(join(venv, "bin/mlflow"), [...args, ...stores], { env, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  await ready(`${url}/version`, child);
  return {
    url,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function fill(file: string, { runs, keys, steps, live = 0 }: Shape): void {
  const database = new DatabaseSync(file);
  const now = Date.now() - 86_400_000;
  database.exec("PRAGMA synchronous=OFF; BEGIN");
  const known = database.prepare("SELECT experiment_id FROM experiments WHERE name = 'bench'").get();
  if (!known) {
    database.exec(
      `INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
       VALUES ('bench', 'mlflow-artifacts:/1', 'active', ${now}, ${now})`,
    );
  }
  const row = database.prepare("SELECT experiment_id AS id FROM experiments WHERE name = 'bench'").get();
  const experiment = Number(row?.id);
  const insertRun = database.prepare(
    `INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
       source_version, lifecycle_stage, artifact_uri, experiment_id)
     VALUES (?, ?, 'UNKNOWN', '', '', 'bench', ?, ?, ?, '', 'active', ?, ?)`,
  );
  const insertPoint = database.prepare(
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
  );
  const insertLatest = database.prepare(
    "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)",
  );
  for (let run = 0; run < runs; run++) {
    const id = run.toString(16).padStart(8, "0").padEnd(32, "b");
    const running = run < live;
    const start = now + run * 1000;
    insertRun.run(
      id,
      `run ${run}`,
      running ? "RUNNING" : "FINISHED",
      start,
      running ? null : start + 500,
      "",
      experiment,
    );
    for (let key = 0; key < keys; key++) {
      for (let step = 0; step < steps; step++) insertPoint.run(`metric_${key}`, step / 7, start + step, id, step);
      insertLatest.run(`metric_${key}`, (steps - 1) / 7, start + steps - 1, steps - 1, id);
    }
  }
  database.exec("COMMIT");
  database.close();
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  return address.port;
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`MLflow did not answer at ${url}`);
}
