import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Point } from "./judge.ts";

const run = promisify(execFile);

/** What MLflow's own client says is in the store, after it has logged every awkward value. */
export interface Awkward {
  readonly experiment: string;
  /** Every point but system metrics, in MLflow's order; what JSON cannot hold as `"null"`. */
  readonly points: readonly Point[];
  /** The latest values by MLflow's own rule, as Prometheus writes them. */
  readonly latest: readonly Latest[];
}

export interface Latest {
  readonly run: string;
  readonly key: string;
  readonly value: string;
}

interface Printed {
  readonly points: readonly (readonly [run: string, key: string, value: string, time: string, step: string])[];
  readonly latest: readonly (readonly [run: string, key: string, value: string])[];
}

/** Logs every awkward value into a new experiment. */
export async function logAwkward(mlflow: { readonly url: string; readonly python: string }): Promise<Awkward> {
  const experiment = `awkward ${process.pid} ${Date.now()}`;
  const script = join(import.meta.dirname, "awkward.py");
  const { stdout } = await run(mlflow.python, [script, mlflow.url, experiment], { maxBuffer: 64 * 1024 ** 2 });
  // MLflow's client prints where to look at each run before it.
  const printed: Printed = JSON.parse(stdout.slice(stdout.indexOf('{"experiment"')));
  const ours = (key: string) => !key.startsWith("system/");
  return {
    experiment,
    points: printed.points
      .filter(([, key]) => ours(key))
      .map(([run, key, value, time, step]) => ({
        run,
        key,
        value: finite(value) ? String(Number(value)) : "null",
        time: Number(time),
        step: Number(step),
      })),
    latest: printed.latest
      .filter(([, key]) => ours(key))
      .map(([run, key, value]) => ({ run, key, value: prometheusValue(value) })),
  };
}

/** MLflow's SQL store keeps an infinity as the largest double. */
function finite(python: string): boolean {
  return Math.abs(Number(python)) < Number.MAX_VALUE;
}

function prometheusValue(python: string): string {
  if (finite(python)) return String(Number(python));
  const value = Number(python);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
