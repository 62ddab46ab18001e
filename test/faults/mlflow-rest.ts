import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import type { Point } from "../e2e/judge.ts";

/** MLflow's REST API as far as the trainings and the judge need it; knows nothing of mlmon's own client. */
export interface MlflowRest {
  createExperiment(name: string): Promise<string>;
  createRun(experiment: string, name: string): Promise<string>;
  /** At most 1000 points; repeated until MLflow has taken them, which it does once however often it is told. */
  logPoints(run: string, points: readonly Point[]): Promise<void>;
  setStatus(run: string, status: "RUNNING" | "FINISHED", endTime?: number): Promise<void>;
  deleteRun(run: string): Promise<void>;
  restoreRun(run: string): Promise<void>;
  /** Every point of one metric, in MLflow's order. */
  history(run: string, key: string): Promise<readonly Point[]>;
}

/** Speaks to one server. A call that fails is repeated for two minutes: MLflow may be away on purpose. */
export function mlflowRest(url: string): MlflowRest {
  const root = `${url}/api/2.0/mlflow`;
  async function call<S extends v.GenericSchema>(path: string, body: object | undefined, schema: S) {
    const deadline = Date.now() + 120_000;
    for (;;) {
      const answer = await fetch(`${root}/${path}`, {
        signal: AbortSignal.timeout(30_000),
        ...(body && {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      }).catch((error: unknown) => String(error));
      if (typeof answer !== "string" && answer.ok) return v.parse(schema, await answer.json());
      const why = typeof answer === "string" ? answer : `${answer.status} ${await answer.text()}`;
      if (Date.now() > deadline) throw new Error(`Cannot call ${path} of MLflow: ${why}`);
      await sleep(200);
    }
  }
  return {
    createExperiment: async (name) => (await call("experiments/create", { name }, experiment)).experiment_id,
    async createRun(experimentId, name) {
      const body = { experiment_id: experimentId, run_name: name, start_time: Date.now() };
      return (await call("runs/create", body, run)).run.info.run_id;
    },
    async logPoints(runId, points) {
      const metrics = points.map(({ key, value, time, step }) => ({
        key,
        value: Number(value),
        timestamp: time,
        step,
      }));
      await call("runs/log-batch", { run_id: runId, metrics }, v.unknown());
    },
    async setStatus(runId, status, endTime) {
      await call("runs/update", { run_id: runId, status, end_time: endTime }, v.unknown());
    },
    async deleteRun(runId) {
      await call("runs/delete", { run_id: runId }, v.unknown());
    },
    async restoreRun(runId) {
      await call("runs/restore", { run_id: runId }, v.unknown());
    },
    async history(runId, key) {
      const points: Point[] = [];
      for (let token = ""; ; ) {
        const query = `run_id=${runId}&metric_key=${key}&max_results=10000${token && `&page_token=${token}`}`;
        const page = await call(`metrics/get-history?${query}`, undefined, historyPage);
        for (const { value, timestamp, step } of page.metrics) {
          points.push({ run: runId, key, value: String(value), time: Number(timestamp), step: Number(step) });
        }
        token = page.next_page_token ?? "";
        if (token === "") return points;
      }
    },
  };
}

const experiment = v.object({ experiment_id: v.string() });
const run = v.object({ run: v.object({ info: v.object({ run_id: v.string() }) }) });
const whole = v.union([v.string(), v.number()]);
const historyPage = v.object({
  metrics: v.optional(v.array(v.object({ value: v.number(), timestamp: whole, step: whole })), []),
  next_page_token: v.optional(v.string()),
});
