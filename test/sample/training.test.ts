import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { createClient } from "../../src/mlflow/client.ts";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { type Writer, writerOn } from "../../src/mlflow/write.ts";
import { simulateLive } from "../../src/sample/simulate.ts";
import { planTrainings, seededRandom, type Training } from "../../src/sample/training.ts";

const metrics = (training: Training, steps = 50) =>
  Array.from({ length: steps }, (_, step) => training.metrics(step, steps));

describe("planTrainings()", () => {
  it("gives the same values for the same seed, and others for another one", () => {
    const log = (seed: number) =>
      planTrainings(6, seed).map((training) => ({ ...training, values: metrics(training) }));
    assert.equal(JSON.stringify(log(7)), JSON.stringify(log(7)));
    assert.notEqual(JSON.stringify(log(7)), JSON.stringify(log(8)));
  });

  it("is varied: three experiments, several stages, one in six that fails early", () => {
    const trainings = planTrainings(60, 1);
    assert.equal(new Set(trainings.map(({ experiment }) => experiment)).size, 3);
    assert.deepEqual(new Set(trainings.map(({ stage }) => stage)), new Set(["None", "Staging", "Production"]));
    assert.equal(new Set(trainings.map(({ name }) => name)).size, 60);
    const failed = trainings.filter(({ end }) => end === "FAILED");
    assert.equal(failed.length, 10);
    assert.ok(failed.every(({ until }) => until < 1));
  });

  it("learns: the loss falls, the accuracy rises and stays within 0 and 1", () => {
    for (const training of planTrainings(12, 3)) {
      const values = metrics(training);
      const [first = {}, last = {}] = [values[0], values.at(-1)];
      assert.ok(Number(last.loss) < Number(first.loss) / 2);
      assert.ok(Number(last.accuracy) > Number(first.accuracy));
      for (const { accuracy = -1, f1_score = -1 } of values) {
        assert.ok(accuracy >= 0 && accuracy <= 1 && f1_score >= 0 && f1_score <= 1);
      }
    }
  });
});

describe("seededRandom()", () => {
  it("gives numbers spread over [0, 1)", () => {
    const random = seededRandom(42);
    const numbers = Array.from({ length: 10_000 }, random);
    assert.ok(numbers.every((number) => number >= 0 && number < 1));
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    assert.ok(Math.abs(mean - 0.5) < 0.02, String(mean));
  });
});

describe("simulateLive()", () => {
  it("stops every training and rejects when MLflow fails", async () => {
    let calls = 0;
    const fails = async (): Promise<never> => {
      calls += 1;
      throw new Error("MLflow is gone");
    };
    const writer: Writer = {
      ...writerOn(createClient(v.parse(mlflowOptions, {}))),
      findExperiment: async () => "1",
      createRun: async () => "r",
      logParams: async () => {},
      updateRun: async () => {},
      logBatch: fails,
    };
    const options = { writer, steps: 5, seed: 1, parallel: 3, stepMs: 5, signal: new AbortController().signal };
    await assert.rejects(simulateLive(options), /MLflow is gone/);
    assert.ok(calls <= 3);
  });
});
