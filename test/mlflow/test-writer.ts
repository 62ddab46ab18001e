import { type Client, createClient } from "../../src/mlflow/client.ts";
import { MlflowError } from "../../src/mlflow/mlflow-error.ts";
import { type LoggedPoint, type Writer, writerOn } from "../../src/mlflow/write.ts";
import { options } from "./memory.ts";

/**
 * A writer for the server under test, whichever it is. MLflow before 3.5 refuses points that it has already: then they
 * are logged one by one, as far as it takes them.
 */
export function testWriter(url: string): Writer {
  const writer = writerOn(testClient(url));
  const log = async (run: string, points: readonly LoggedPoint[]): Promise<void> => {
    try {
      await writer.logBatch(run, points);
    } catch (error) {
      if (!(error instanceof MlflowError) || !/UNIQUE|duplicate key/.test(error.message)) throw error;
      if (points.length > 1) for (const point of points) await log(run, [point]);
    }
  };
  return { ...writer, logBatch: log };
}

/** A client for it, in the workspace that the variables name. */
export function testClient(url: string): Client {
  const connection = options(url || "http://127.0.0.1:1");
  const client = createClient(connection);
  if (connection.workspace !== undefined) client.useWorkspace(connection.workspace);
  return client;
}
