import * as v from "valibot";
import { type Client, type ClientWorld, type Connection, createClient } from "./client.ts";

/** A point to log; `step` and `timestamp` (Unix ms) may be 64-bit integers. */
export interface LoggedPoint {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number | bigint;
  readonly step: number | bigint;
}

/** Writes to MLflow, for `mlmon generate-sample` and tests; every method is one request and throws `MlflowError`. */
export interface Writer {
  /** Returns the id. */
  createExperiment(name: string, tags?: Readonly<Record<string, string>>): Promise<string>;
  /** Returns the id, or nothing when there is no active experiment of that name. */
  findExperiment(name: string): Promise<string | undefined>;
  deleteExperiment(id: string): Promise<void>;
  restoreExperiment(id: string): Promise<void>;
  renameExperiment(id: string, name: string): Promise<void>;
  /** Returns the id. */
  createRun(experiment: string, run: NewRun): Promise<string>;
  /** At most 1000 points a call. */
  logBatch(run: string, points: readonly LoggedPoint[]): Promise<void>;
  logParams(run: string, params: Readonly<Record<string, string>>): Promise<void>;
  setTag(run: string, key: string, value: string): Promise<void>;
  setExperimentTag(experiment: string, key: string, value: string): Promise<void>;
  updateRun(run: string, change: RunChange): Promise<void>;
  deleteRun(run: string): Promise<void>;
  restoreRun(run: string): Promise<void>;
  createModel(name: string): Promise<void>;
  /** Returns the version. With a run, `source` must lie in it: `mlflow-artifacts:/<experiment>/<run>/artifacts/model`. */
  createModelVersion(name: string, source: string, run?: string): Promise<string>;
  setModelAlias(name: string, alias: string, version: string): Promise<void>;
}

/** A run that is to be made. */
export interface NewRun {
  readonly name?: string;
  /** Unix ms. */
  readonly startTime: number;
  readonly tags?: Readonly<Record<string, string>>;
}

/** What of a run is to be changed. */
export interface RunChange {
  readonly status?: "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";
  /** Unix ms. */
  readonly endTime?: number | bigint;
  readonly name?: string;
}

/** Makes a writer; nothing is sent until the first call. */
export function createWriter(connection: Connection, world?: ClientWorld): Writer {
  return writerOn(createClient(connection, world));
}

/** Makes a writer on a client that exists. */
export function writerOn(client: Client): Writer {
  const post = <S extends v.GenericSchema>(path: string, body: unknown, schema: S) =>
    client.post(`${root}/${path}`, JSON.stringify(body), schema);
  const tell = async (path: string, body: unknown): Promise<void> => {
    await post(path, body, anything);
  };
  return {
    createExperiment: async (name, tags = {}) =>
      (await post("experiments/create", { name, tags: pairs(tags) }, experimentId)).experiment_id,
    findExperiment: async (name) => {
      const query = { max_results: 1, filter: `name = '${name.replaceAll("'", "''")}'` };
      return (await post("experiments/search", query, experimentList)).experiments[0]?.experiment_id;
    },
    deleteExperiment: (id) => tell("experiments/delete", { experiment_id: id }),
    renameExperiment: (id, name) => tell("experiments/update", { experiment_id: id, new_name: name }),
    restoreExperiment: (id) => tell("experiments/restore", { experiment_id: id }),
    async createRun(experiment, { name, startTime, tags = {} }) {
      const body = { experiment_id: experiment, run_name: name, start_time: startTime, tags: pairs(tags) };
      return (await post("runs/create", body, runId)).run.info.run_id;
    },
    async logBatch(run, points) {
      const metrics = points.map(pointText).join(",");
      await client.post(`${root}/runs/log-batch`, `{"run_id":${JSON.stringify(run)},"metrics":[${metrics}]}`, anything);
    },
    logParams: (run, params) => tell("runs/log-batch", { run_id: run, params: pairs(params) }),
    setTag: (run, key, value) => tell("runs/set-tag", { run_id: run, key, value }),
    setExperimentTag: (id, key, value) => tell("experiments/set-experiment-tag", { experiment_id: id, key, value }),
    async updateRun(run, { status, endTime, name }) {
      const end = endTime === undefined ? "" : `,"end_time":${endTime}`;
      const body = JSON.stringify({ run_id: run, status, run_name: name });
      await client.post(`${root}/runs/update`, `${body.slice(0, -1)}${end}}`, anything);
    },
    deleteRun: (run) => tell("runs/delete", { run_id: run }),
    restoreRun: (run) => tell("runs/restore", { run_id: run }),
    createModel: (name) => tell("registered-models/create", { name }),
    async createModelVersion(name, source, run) {
      const body = { name, source, run_id: run };
      return (await post("model-versions/create", body, modelVersion)).model_version.version;
    },
    setModelAlias: (name, alias, version) => tell("registered-models/alias", { name, alias, version }),
  };
}

const root = "/api/2.0/mlflow";
const anything = v.unknown();
const experimentId = v.object({ experiment_id: v.string() });
const experimentList = v.object({ experiments: v.optional(v.array(experimentId), []) });
const runId = v.object({ run: v.object({ info: v.object({ run_id: v.string() }) }) });
const modelVersion = v.object({ model_version: v.object({ version: v.string() }) });

function pairs(record: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(record).map(([key, value]) => ({ key, value }));
}

/** JSON has no NaN and no infinity, JSON.stringify loses the sign of −0 and knows no bigint. */
function pointText({ key, value, timestamp, step }: LoggedPoint): string {
  const number = Object.is(value, -0) ? "-0.0" : Number.isFinite(value) ? String(value) : `"${value}"`;
  return `{"key":${JSON.stringify(key)},"value":${number},"timestamp":${timestamp},"step":${step}}`;
}
