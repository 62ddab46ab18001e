import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Started, startProcess } from "./process.ts";
import { freePort, temporaryFolder } from "./wait.ts";

/** Which MLflow the tests run against: one cell of the matrix. */
export interface MlflowKind {
  readonly version: string;
  readonly store: "sqlite" | "files" | "postgresql";
  /** Behind `--app-name basic-auth`; the variables of MLflow's client then hold the login. */
  readonly auth: boolean;
  /** Made at the start on a server with workspaces; the variable of MLflow's client then names it. */
  readonly workspace: string | undefined;
}

/** Reads `MLMON_TEST_MLFLOW_VERSION`, `_STORE`, `_AUTH=1` and `_WORKSPACE`; 3.17.2 on SQLite, open to all, by default. */
export function mlflowKind(env: NodeJS.ProcessEnv = process.env): MlflowKind {
  const store = env.MLMON_TEST_MLFLOW_STORE || "sqlite";
  if (store !== "sqlite" && store !== "files" && store !== "postgresql") {
    throw new Error(`MLMON_TEST_MLFLOW_STORE must be sqlite, files or postgresql: found "${store}"`);
  }
  return {
    version: env.MLMON_TEST_MLFLOW_VERSION || "3.17.2",
    store,
    auth: env.MLMON_TEST_MLFLOW_AUTH === "1",
    workspace: env.MLMON_TEST_MLFLOW_WORKSPACE || undefined,
  };
}

/** The packages beside MLflow that a kind needs, kept apart from its environment, where they would change others. */
export function extraPackages({ store, auth }: MlflowKind): string[] {
  return [...(auth ? ["Flask-WTF", "WTForms"] : []), ...(store === "postgresql" ? ["psycopg2-binary"] : [])];
}

/** Starts it on a free port with an empty store, and sets the client's variables. Takes 5 to 60 s. */
export async function startMlflow(venv: string, kind: MlflowKind, extra?: string): Promise<Started> {
  const { path: folder } = await temporaryFolder();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const database = await freePort();
  const stores = {
    sqlite: `sqlite:///${folder}/mlflow.db`,
    files: join(folder, "mlruns"),
    postgresql: `postgresql+psycopg2://postgres@127.0.0.1:${database}/mlflow`,
  };
  const options = ["--host", "127.0.0.1", "--port", String(port), "--workers", "1"];
  if (kind.auth) options.push("--app-name", "basic-auth");
  if (kind.workspace) options.push("--enable-workspaces");
  const files = ["--backend-store-uri", stores[kind.store], "--artifacts-destination", `${folder}/files`];
  const server = [join(venv, "bin/mlflow"), "server", ...options, ...files] as const;
  const postgres = [join(import.meta.dirname, "postgres.sh"), folder, String(database), ...server] as const;
  const started = await startProcess({
    name: "MLflow",
    command: kind.store === "postgresql" ? [...postgres] : [...server],
    folder,
    url,
    ready: "/health",
    deadlineMs: 180_000,
    env: {
      MLFLOW_DISABLE_TELEMETRY: "true",
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
      MLFLOW_ALLOW_FILE_STORE: "true",
      PYTHONPATH: [extra, folder].filter(Boolean).join(":"),
      ...(kind.auth && (await authVariables(folder))),
    },
  });
  if (kind.auth) Object.assign(process.env, login);
  if (kind.workspace) await makeWorkspace(url, kind.workspace);
  return started;
}

const login = { MLFLOW_TRACKING_USERNAME: "admin", MLFLOW_TRACKING_PASSWORD: "a-long-password" };

/** The kind of store by the server itself; nothing before 3.10. */
export async function storeOf(url: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/api/3.0/mlflow/server-info`, { headers: clientHeaders() });
  return answer.ok ? (await answer.json()).store_type : undefined;
}

/** MLflow hashes the password anew for each request, 350 ms of its processor: the tests ask some thousand times. */
const quickAuth = `import functools
import mlflow.server.auth.sqlalchemy_store as store
from mlflow.server.auth import authenticate_request_basic_auth
store.check_password_hash = functools.lru_cache(store.check_password_hash)
`;

async function authVariables(folder: string): Promise<Record<string, string>> {
  const ini = join(folder, "auth.ini");
  const values = {
    default_permission: "READ",
    database_uri: `sqlite:///${folder}/auth.db`,
    admin_username: login.MLFLOW_TRACKING_USERNAME,
    admin_password: login.MLFLOW_TRACKING_PASSWORD,
    authorization_function: "quick_auth:authenticate_request_basic_auth",
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "quick_auth.py"), quickAuth);
  await writeFile(
    ini,
    `[mlflow]\n${Object.entries(values)
      .map((pair) => pair.join(" = "))
      .join("\n")}\n`,
  );
  return { MLFLOW_AUTH_CONFIG_PATH: ini, MLFLOW_FLASK_SERVER_SECRET_KEY: "of a test" };
}

async function makeWorkspace(url: string, name: string): Promise<void> {
  const answer = await fetch(`${url}/api/3.0/mlflow/workspaces`, {
    method: "POST",
    headers: { "content-type": "application/json", ...clientHeaders() },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Error(`No workspace can be made: ${answer.status} ${await answer.text()}`);
  process.env.MLFLOW_WORKSPACE = name;
}

/** What a test's own requests must carry, by the same variables that the source reads. */
export function clientHeaders(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const { MLFLOW_TRACKING_USERNAME: user, MLFLOW_TRACKING_PASSWORD: password, MLFLOW_WORKSPACE: workspace } = env;
  return {
    ...(user && password && { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` }),
    ...(workspace && { "x-mlflow-workspace": workspace }),
  };
}
