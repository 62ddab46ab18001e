import type { Log } from "../model/log.ts";
import { serverInfoAnswer } from "./answers.ts";
import type { Client } from "./client.ts";
import { MlflowError } from "./mlflow-error.ts";

/** What a server says of itself; versions before 3.10 say nothing. */
export interface ServerInfo {
  /** `"SqlStore"`, `"FileStore"`, or nothing. */
  readonly store: string | undefined;
  readonly workspaces: boolean;
}

/**
 * Asks the server what it is, and uses the workspace where there are any; says so when that takes long. Throws only what
 * passes.
 */
export async function connect(client: Client, workspace: string | undefined, log: Log): Promise<ServerInfo> {
  const patience = setTimeout(() => log.info("Waiting for MLflow to answer", { server: client.server }), silentMs);
  const info = await readServerInfo(client).finally(() => clearTimeout(patience));
  if (workspace === undefined) return info;
  if (info.workspaces) client.useWorkspace(workspace);
  else log.warn("The workspace is ignored, as the server has none", { workspace });
  return info;
}

const silentMs = 3000;

async function readServerInfo(client: Client): Promise<ServerInfo> {
  try {
    const info = await client.get("/api/3.0/mlflow/server-info", [], serverInfoAnswer);
    return { store: info.store_type ?? undefined, workspaces: info.workspaces_enabled };
  } catch (error) {
    // Older versions, proxies and 3.11 behind a login do not answer: the searches tell what is wrong, if anything is.
    if (error instanceof MlflowError && error.trouble !== "transient") return { store: undefined, workspaces: false };
    throw error;
  }
}
