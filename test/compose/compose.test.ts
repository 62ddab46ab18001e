import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import * as v from "valibot";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { until } from "../beds/wait.ts";
import { dashboardMetrics, dashboardQueries } from "./dashboard.ts";
import { prepareStack } from "./stack.ts";

const docker = await bed("docker");
const stack = docker.skip ? undefined : await prepareStack(docker);
const services = ["mlflow", "prometheus", "pushgateway", "pramathus", "mlmon"];
const minutes = (count: number) => ({ timeout: count * 60_000 });

describe("the Compose stack", { skip: docker.skip }, () => {
  if (!stack) return;
  const { urls, compose } = stack;
  after(() => stack.remove(), minutes(2));

  it("is a valid file", minutes(1), async () => {
    await compose("config", "-q");
  });

  it("finds the images of its services", minutes(10), async () => {
    await stack.makeImages();
  });

  it("has a Dockerfile without warnings", minutes(1), async () => {
    await stack.docker("build", "--check", ".");
  });

  it("comes up healthy", minutes(15), async () => {
    await compose("up", "-d", "--build", "--wait", "--wait-timeout", "300", ...services);
    const health = await compose("ps", "--format", "{{.Service}} {{.Health}}");
    const expected = services.map((name) => `${name} healthy`);
    assert.deepEqual(health.trim().split("\n").sort(), expected.sort());
  });

  it("runs mlmon without root and without capabilities on a read-only disk", minutes(1), async () => {
    const [container] = JSON.parse(await stack.docker("inspect", (await compose("ps", "-q", "mlmon")).trim()));
    assert.equal(container.Config.User, "65532:65532");
    assert.equal(container.HostConfig.ReadonlyRootfs, true);
    assert.deepEqual(container.HostConfig.CapDrop, ["ALL"]);
  });

  it("publishes nothing beyond this machine", minutes(1), async () => {
    const { services } = JSON.parse(await compose("config", "--format", "json"));
    const published = Object.values<{ ports?: { host_ip?: string }[] }>(services).flatMap(({ ports }) => ports ?? []);
    assert.ok(published.length >= 6);
    assert.deepEqual([...new Set(published.map(({ host_ip }) => host_ip))], ["127.0.0.1"]);
  });

  it("is filled by docker compose exec mlmon mlmon generate-sample", minutes(4), async () => {
    assert.match(await compose("exec", "-T", "mlmon", "mlmon", "generate-sample"), /Logged 6 runs/);
    const accuracies = () => query("mlflow_accuracy");
    await until(async () => (await accuracies()).length === 6, 180_000, "six runs in Prometheus");
  });

  for (const promql of [
    "avg(mlflow_accuracy)",
    "count by (experiment_name) (mlflow_accuracy)",
    "rate(mlflow_accuracy[5m])",
  ]) {
    it(`answers ${promql}`, minutes(2), async () => {
      const result = await until(async () => (await query(promql)).length > 0 && query(promql), 60_000, promql);
      for (const value of result) assert.ok(Number.isFinite(Number(value)), `${value} is a number`);
    });
  }

  it("counts no run twice though mlmon pushes and is scraped", minutes(1), async () => {
    const runs = await query("count(mlflow_accuracy)");
    assert.deepEqual(runs, ["6"]);
  });

  it("has the same series in the Pushgateway", minutes(2), async () => {
    const pushed = async () => (await text(`${urls.pushgateway}/metrics`)).match(/^mlflow_accuracy\{/gm)?.length;
    await until(async () => (await pushed()) === 6, 60_000, "six runs in the Pushgateway");
  });

  it("has delivered every point to the Pramathus stand-in", minutes(2), async () => {
    const { points: logged } = await loggedPoints();
    const received = async () => JSON.parse(await text(`${urls.pramathus}/`)).points;
    await until(async () => (await received()) >= logged, 60_000, "every point at Pramathus");
    assert.equal(await received(), logged);
  });

  it("reads a run that is under way, which the sample has none of", minutes(2), async () => {
    const options = v.parse(mlflowOptions, { trackingUri: urls.mlflow });
    const writer = createWriter(options);
    const experiment = await writer.createExperiment("under way");
    const run = await writer.createRun(experiment, { startTime: Date.now() });
    await writer.logBatch(run, [{ key: "loss", value: 1, timestamp: Date.now(), step: 0 }]);
    const running = () => query('mlflow_run_info{status="running"}');
    await until(async () => (await running()).length === 1, 90_000, "the run in Prometheus");
  });

  for (const { title, expression } of dashboardQueries()) {
    it(`has data for the panel "${title}": ${expression}`, minutes(2), async () => {
      await until(async () => (await query(expression)).length > 0, 60_000, expression);
    });
  }

  it("has only metrics in its dashboard that mlmon or the Pushgateway knows", minutes(1), async () => {
    const pages = await Promise.all([text(`${urls.mlmon}/metrics`), text(`${urls.pushgateway}/metrics`)]);
    const known = new Set([...pages.join("\n").matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    assert.ok(dashboardMetrics().length > 10);
    assert.deepEqual(
      dashboardMetrics().filter((name) => !known.has(name)),
      [],
    );
  });

  it("keeps its state when mlmon is replaced", minutes(3), async () => {
    const before = JSON.parse(await text(`${urls.pramathus}/`)).points;
    await compose("up", "-d", "--force-recreate", "--no-deps", "--wait", "mlmon");
    const page = () => text(`${urls.mlmon}/metrics`);
    await until(async () => /^mlflow_accuracy\{/m.test(await page()), 60_000, "the page of the new mlmon");
    assert.equal(JSON.parse(await text(`${urls.pramathus}/`)).points, before);
  });

  it("is gone with its volumes afterwards", minutes(2), async () => {
    await stack.remove();
    await assert.rejects(fetch(`${urls.prometheus}/-/ready`));
  });

  /** The values that Prometheus has for a query now. */
  async function query(promql: string): Promise<string[]> {
    const answer = await fetch(`${urls.prometheus}/api/v1/query?query=${encodeURIComponent(promql)}`);
    const { data, error } = await answer.json();
    assert.equal(error, undefined, promql);
    return data.result.map(({ value }: { value: [number, string] }) => value[1]);
  }

  /** How many points MLflow itself has, by its own REST API. */
  async function loggedPoints(): Promise<{ points: number }> {
    const post = (path: string, body: object) =>
      fetch(`${urls.mlflow}/api/2.0/mlflow/${path}`, { method: "POST", body: JSON.stringify(body), headers });
    const headers = { "content-type": "application/json" };
    const { experiments } = await (await post("experiments/search", { max_results: 100 })).json();
    const experiment_ids = experiments.map(({ experiment_id }: { experiment_id: string }) => experiment_id);
    const { runs } = await (await post("runs/search", { experiment_ids, max_results: 100 })).json();
    let points = 0;
    for (const { info, data } of runs) {
      for (const { key } of data.metrics) {
        const of = `run_id=${info.run_id}&metric_key=${encodeURIComponent(key)}&max_results=25000`;
        const { metrics } = JSON.parse(await text(`${urls.mlflow}/api/2.0/mlflow/metrics/get-history?${of}`));
        points += metrics.length;
      }
    }
    return { points };
  }
});

async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}
