import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { labelName, metricName } from "../../src/prometheus/names.ts";
import { ownLabels, seriesOf } from "../../src/prometheus/series.ts";
import { makeRun, makeSample } from "../view/make.ts";

describe("metricName()", () => {
  const table = [
    ["accuracy", "mlflow_accuracy"],
    ["val/loss", "mlflow_val_loss"],
    ["système métrique 😀", "mlflow_syst_me_m_trique__"],
    ["9lives", "mlflow_9lives"],
    ["a:b", "mlflow_a_b"],
    ["", "mlflow_"],
    ["runs", "mlflow_metric_runs"],
    ["run/info", "mlflow_metric_run_info"],
    ["up", "mlflow_metric_up"],
  ] as const;
  for (const [key, name] of table) {
    it(`turns "${key}" into ${name}`, () => assert.equal(metricName(key), name));
  }
});

describe("labelName()", () => {
  const table = [
    ["team", "team"],
    ["mlflow.source.name", "mlflow_source_name"],
    ["0day", "_0day"],
    ["__name__", "_name__"],
    ["", "_"],
  ] as const;
  for (const [text, name] of table) {
    it(`turns "${text}" into ${name}`, () => assert.equal(labelName(text), name));
  }
});

describe("ownLabels()", () => {
  it("keeps two labels that fall on one name apart", () => {
    assert.deepEqual(ownLabels({ "a.b": "1", a_b: "2" }), { a_b: "1", a_b_: "2" });
  });
  it("writes equal labels equally, whatever they were called, or one series would stand twice on a page", () => {
    assert.deepEqual(Object.keys(ownLabels({ é: "1", b: "2" })), ["_", "b"]);
    assert.deepEqual(Object.keys(ownLabels({ "\u0000": "1", b: "2" })), ["_", "b"]);
    assert.deepEqual(Object.keys(ownLabels({ job: "1", b: "2" })), ["b", "exported_job"]);
  });
  it("leaves the labels of runs and targets alone, and drops empty values", () => {
    assert.deepEqual(ownLabels({ job: "x", run_id: "y", empty: "" }), { exported_job: "x", exported_run_id: "y" });
  });
});

describe("seriesOf()", () => {
  it("names a sample that no view has seen", () => {
    const sample = makeSample(makeRun("4de1a2b3ff"), "val/loss", 1, { labels: { team: 'a"b' } });
    assert.equal(
      seriesOf(sample).id,
      'mlflow_val_loss{run_id="4de1a2b3",experiment_name="vision",model_stage="None",team="a\\"b"}',
    );
  });
  it("names a fact by its labels alone", () => {
    assert.equal(seriesOf({ name: "experiments", value: 1, time: 0, step: 0 }).id, "mlflow_experiments");
  });
});
