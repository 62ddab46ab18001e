import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { options } from "../mlflow/memory.ts";
import { mlmon } from "./mlmon.ts";

const mlflow = await bed("mlflow");
after(() => mlflow.stop());

const names = ["churn-prediction", "image-classification", "demand-forecast"];

interface FoundRun {
  readonly info: { readonly run_id: string; readonly run_name: string; readonly status: string };
  readonly data: {
    readonly metrics?: readonly { readonly key: string; readonly step: number }[];
    readonly params?: readonly { readonly key: string }[];
    readonly tags: readonly { readonly key: string; readonly value: string }[];
  };
}

describe("mlmon generate-sample", { skip: mlflow.skip }, () => {
  it("logs varied runs with metrics, parameters and tags to the MLflow it is given", async () => {
    await using folder = await temporaryFolder();
    const before = await newRuns();
    const flags = ["--tracking-uri", mlflow.url, "--runs", "7", "--steps", "20", "--json"];
    const { status, stdout, stderr } = await mlmon(["generate-sample", ...flags], { cwd: folder.path });
    assert.equal(status, 0, stderr);
    const made = JSON.parse(stdout);
    assert.deepEqual(made.experiments, names);
    assert.equal(made.runs, 7);

    const runs = await newRuns(before);
    assert.equal(runs.length, 7);
    assert.deepEqual(runs.map(({ info }) => info.status).sort(), ["FAILED", ...Array(6).fill("FINISHED")]);
    const finished = runs.find(({ info }) => info.status === "FINISHED");
    const keys = (finished?.data.metrics ?? []).map(({ key }) => key).sort();
    assert.deepEqual(keys, ["accuracy", "f1_score", "learning_rate", "loss", "val/accuracy", "val/loss"]);
    assert.ok(finished?.data.metrics?.every(({ step }) => step === 19));
    assert.ok((finished?.data.params?.length ?? 0) >= 3);
    assert.ok(runs.some(({ data }) => data.tags.some(({ key }) => key === "mlflow.model.stage")));
    const failed = runs.find(({ info }) => info.status === "FAILED");
    assert.ok(failed?.data.metrics?.every(({ step }) => step === 11));
    const points = 6 * 20 * 6 + 12 * 6;
    assert.equal(made.points, points);
  });

  it("uses the MLflow of the configuration, and says what to do next", async () => {
    await using folder = await temporaryFolder();
    const config = `import { defineConfig, mlflow } from "mlmon";
      import { prometheus } from "mlmon/plugins/prometheus";
      export default defineConfig({ sources: [mlflow({ trackingUri: "${mlflow.url}" })], sinks: [prometheus()] });`;
    await writeFile(join(folder.path, "mlmon.config.ts"), config);
    const away = { MLFLOW_TRACKING_URI: `http://127.0.0.1:${await freePort()}` };
    const { status, stdout, stderr } = await mlmon(["generate-sample", "--runs", "1", "--steps", "3"], {
      cwd: folder.path,
      env: away,
    });
    assert.equal(status, 0, stderr);
    assert.equal(
      stdout,
      `Logged 1 run with 18 points to churn-prediction at ${mlflow.url}\nNext: mlmon dry-run; mlmon generate-sample --delete deletes them again\n`,
    );
  });

  it("deletes with --delete what it has logged and nothing else, and can log again", async () => {
    await using folder = await temporaryFolder();
    const at = ["--tracking-uri", mlflow.url];
    const log = () => mlmon(["generate-sample", ...at, "--runs", "3", "--steps", "3"], { cwd: folder.path });
    const remove = async () => mlmon(["generate-sample", ...at, "--delete", "--json"], { cwd: folder.path });
    assert.equal((await log()).status, 0);
    assert.ok((await newRuns()).every(({ data }) => data.tags.some(({ key }) => key === "mlmon.sample")));
    const writer = createWriter(options(mlflow.url));
    const [churn = ""] = [await writer.findExperiment("churn-prediction")];
    const own = await writer.createRun(churn, { startTime: 1 });

    const first = await remove();
    assert.equal(first.status, 0, first.stderr);
    const { experiments, kept } = JSON.parse(first.stdout);
    assert.deepEqual(
      [experiments.toSorted(), kept],
      [["demand-forecast", "image-classification"], ["churn-prediction"]],
    );
    assert.deepEqual(ids(await newRuns()), [own]);
    await writer.deleteRun(own);
    assert.deepEqual(JSON.parse((await remove()).stdout), { runs: 0, experiments: ["churn-prediction"], kept: [] });
    const text = await mlmon(["generate-sample", ...at, "--delete"], { cwd: folder.path });
    assert.equal(text.stdout, "Deleted 0 runs and 0 experiments\n");
    const again = await log();
    assert.equal(again.status, 0, again.stderr);
    assert.equal((await newRuns()).length, 3);
  });

  it("keeps trainings going with --live until Ctrl-C, which ends them as killed", async () => {
    await using folder = await temporaryFolder();
    const before = await newRuns();
    let pid: number | undefined;
    const flags = ["--live", "--runs", "1", "--steps", "300", "--interval", "50ms", "--tracking-uri", mlflow.url];
    const ended = mlmon(["generate-sample", ...flags], {
      cwd: folder.path,
      onStarted: (started) => {
        pid = started;
      },
    });
    const live = await until(async () => {
      const runs = (await newRuns(before)).filter(({ info }) => info.status === "RUNNING");
      const trained = runs.filter(({ data }) => (data.metrics ?? []).some(({ step }) => step >= 3 && step < 290));
      return trained.length >= 2 && trained;
    });
    assert.ok(pid);
    process.kill(pid, "SIGINT");
    const { status, stderr } = await ended;
    assert.equal(status, 0, stderr);
    const killed = (await newRuns(before)).filter(({ info }) => info.status === "KILLED");
    assert.deepEqual(ids(killed), ids(live));
  });
});

describe("mlmon generate-sample, wrongly called", () => {
  const cases: readonly [flags: readonly string[], words: RegExp][] = [
    [["--runs", "0"], /Cannot use --runs "0": expected a whole number above 0/],
    [["--steps", "many"], /Cannot use --steps "many"/],
    [["--interval", "soon"], /Cannot use --interval "soon": expected a duration such as "1s"/],
    [["--tracking-uri", "sqlite:///x.db"], /Cannot use --tracking-uri "sqlite:\/\/\/x.db": expected an http/],
    [["--step", "3"], /Unknown flag "--step": did you mean "--steps"\?/],
  ];
  for (const [flags, words] of cases) {
    it(`ends with 2 for ${flags.join(" ")}`, async () => {
      await using folder = await temporaryFolder();
      const { status, stderr } = await mlmon(["generate-sample", ...flags], { cwd: folder.path });
      assert.equal(status, 2);
      assert.match(stderr, words);
    });
  }

  it("ends with 1 and the mend when MLflow is away", async () => {
    await using folder = await temporaryFolder();
    const url = `http://127.0.0.1:${await freePort()}`;
    const { status, stderr } = await mlmon(["generate-sample", "--tracking-uri", url], { cwd: folder.path });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^mlmon: Cannot use MLflow at http:.* as connection refused.*: check that it runs there, or correct trackingUri .*\n$/,
    );
  });
});

/** The runs in the sample's experiments, newest first, without those that were there before. */
async function newRuns(before: readonly FoundRun[] = []): Promise<readonly FoundRun[]> {
  const known = ids(before);
  const { experiments = [] } = await search<{ experiments?: readonly { name: string; experiment_id: string }[] }>(
    "experiments",
    { max_results: 1000 },
  );
  const own = experiments.filter(({ name }) => names.includes(name)).map(({ experiment_id }) => experiment_id);
  if (own.length === 0) return [];
  const query = { experiment_ids: own, max_results: 1000 };
  const { runs = [] } = await search<{ runs?: readonly FoundRun[] }>("runs", query);
  return runs.filter(({ info }) => !known.includes(info.run_id));
}

async function search<Answer>(what: string, query: object): Promise<Answer> {
  const answer = await fetch(`${mlflow.url}/api/2.0/mlflow/${what}/search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(query),
  });
  return answer.json();
}

function ids(runs: readonly FoundRun[]): readonly string[] {
  return runs.map(({ info }) => info.run_id).sort();
}
