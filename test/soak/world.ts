import * as v from "valibot";
import { createMlflowApp } from "../../src/demo/mlflow-app.ts";
import type { StoredPoint } from "../../src/demo/series.ts";
import { createDemoStore, type StoredRun } from "../../src/demo/store.ts";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { serve } from "../../src/runtime/serve.ts";

/** An MLflow through which runs pass. */
export interface World {
  readonly url: string;
  createExperiment(name: string): Promise<string>;
  /** Takes an experiment from all lists. */
  removeExperiment(id: string): Promise<void>;
  /** Returns the id. */
  createRun(experiment: string, name: string): Promise<string>;
  log(run: string, points: readonly StoredPoint[]): Promise<void>;
  end(run: string, status: "FINISHED" | "FAILED" | "KILLED"): Promise<void>;
  delete(run: string): Promise<void>;
  restore(run: string): Promise<void>;
  /** Removes a run for good, as `mlflow gc` does; a real MLflow keeps it deleted. */
  remove(run: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The store of the demo over its own REST API, driven from within: creating a run and logging to it takes
 * microseconds, where a real MLflow on SQLite takes some 10 ms a write.
 */
export async function simulatedWorld(): Promise<World> {
  const store = createDemoStore({ maxRuns: Number.POSITIVE_INFINITY });
  const server = await serve(createMlflowApp(store).fetch, { hostname: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${server.port}`,
    createExperiment: async (name) => store.createExperiment(name).id,
    removeExperiment: async (id) => store.removeExperiment(id),
    async createRun(experiment, name) {
      const run = store.createRun(experiment, { name, startTime: Date.now() });
      run.tags.set("mlflow.runName", name).set("mlflow.user", "soak").set("team", "vision");
      run.params.set("lr", "0.001").set("batch_size", "64");
      return run.id;
    },
    log: async (id, points) => store.log(found(id), points),
    async end(id, status) {
      const run = found(id);
      run.status = status;
      run.endTime = Date.now();
    },
    async delete(id) {
      found(id).isDeleted = true;
    },
    async restore(id) {
      found(id).isDeleted = false;
    },
    remove: async (id) => store.removeRun(id),
    stop: () => server.stop(),
  };

  function found(id: string): StoredRun {
    const run = store.runs.get(id);
    if (!run) throw new Error(`No run ${id}`);
    return run;
  }
}

/** A real MLflow over REST; runs are deleted and stay in its store, as they do until somebody runs `mlflow gc`. */
export function realWorld(url: string): World {
  const writer = createWriter(v.parse(mlflowOptions, { trackingUri: url, concurrency: 8 }));
  return {
    url,
    createExperiment: (name) => writer.createExperiment(name),
    removeExperiment: (id) => writer.deleteExperiment(id),
    createRun: (experiment, name) => writer.createRun(experiment, { name, startTime: Date.now() }),
    log: (run, points) => writer.logBatch(run, points),
    end: (run, status) => writer.updateRun(run, { status, endTime: Date.now() }),
    delete: (run) => writer.deleteRun(run),
    restore: (run) => writer.restoreRun(run),
    remove: async () => undefined,
    stop: async () => undefined,
  };
}
