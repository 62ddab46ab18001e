import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Started, startProcess } from "../beds/process.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";

/** A real MLflow that one scenario has for itself; its store outlives it. */
export interface OwnMlflow {
  readonly url: string;
  /** Ends the server; nothing listens any more. */
  stop(): Promise<void>;
  /** Starts it again on the same port and store; resolves when it answers. */
  start(): Promise<void>;
  /** Locks its database against all others until the returned function is called. */
  lock(): () => void;
  /** Ends it and removes its store. */
  remove(): Promise<void>;
}

/** Starts one; takes 5 to 40 s. `python` is that of MLflow's environment. */
export async function startOwnMlflow(python: string): Promise<OwnMlflow> {
  const store = await temporaryFolder();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const database = join(store.path, "mlflow.db");
  const options = ["--host", "127.0.0.1", "--port", String(port), "--workers", "1"];
  const places = ["--backend-store-uri", `sqlite:///${database}`, "--artifacts-destination", join(store.path, "files")];
  let running: Started | undefined;

  async function start(): Promise<void> {
    // What guards a server removes the folder it is given, and the store has to stay.
    const { path: folder } = await temporaryFolder();
    running = await startProcess({
      name: "MLflow",
      command: [join(dirname(python), "mlflow"), "server", ...options, ...places],
      folder,
      url,
      ready: "/health",
      deadlineMs: 180_000,
      env: { MLFLOW_DISABLE_TELEMETRY: "true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false" },
    });
  }

  async function stop(): Promise<void> {
    await running?.stop();
    running = undefined;
  }

  await start();
  return {
    url,
    start,
    stop,
    lock() {
      const db = new DatabaseSync(database, { timeout: 10_000 });
      db.exec("BEGIN EXCLUSIVE");
      return () => db.close();
    },
    async remove() {
      await stop();
      await store.remove();
    },
  };
}
