import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createView } from "../../src/view/create-view.ts";
import { day, ids, makeBatch, makeRun, makeSample, now, shown } from "./make.ts";

const options = { max: 1000, retentionMs: 30 * day };

describe("the latest value", () => {
  const table = [
    ["greatest step", { step: 2 }, { step: 1 }],
    ["greatest time at one step", { time: 20 }, { time: 10 }],
    ["greatest value at one step and time", { value: 3 }, { value: 2 }],
    ["0 before NaN", { value: 0 }, { value: Number.NaN }],
    ["NaN, which MLflow stores as 0, before a negative number", { value: Number.NaN }, { value: -1 }],
    ["1 before NaN", { value: 1 }, { value: Number.NaN }],
    ["infinity before a number", { value: Number.POSITIVE_INFINITY }, { value: 1e308 }],
  ] as const;
  for (const [rule, winner, loser] of table) {
    it(`is the one with the ${rule}, in whatever order they come`, () => {
      for (const order of [
        [winner, loser],
        [loser, winner],
      ] as const) {
        const view = createView(options);
        const run = makeRun("a");
        view.apply(makeBatch({ samples: order.map((change) => makeSample(run, "loss", 1, { time: 10, ...change })) }));
        const latest = view.latest(now).samples.find(({ name }) => name === "loss");
        assert.deepEqual({ ...latest, ...winner }, latest);
      }
    });
  }
});

describe("the series of a run", () => {
  it("carry the short id, the experiment and the stage, and are joined by run_id", () => {
    const view = createView(options);
    const run = makeRun("4de1a2b3ff", { status: "finished", endTime: now - 1000, name: "try" });
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 2)] }));
    assert.deepEqual(
      view.latest(now).samples.map(({ series, value }) => [series?.id, value]),
      [
        ['mlflow_loss{run_id="4de1a2b3",experiment_name="vision",model_stage="None"}', 2],
        ['mlflow_run_end_time_seconds{run_id="4de1a2b3",experiment_name="vision"}', (now - 1000) / 1000],
        [
          'mlflow_run_info{run_id="4de1a2b3",experiment_name="vision",model_stage="None",run_name="try",' +
            `experiment_id="1",status="finished",user="ada",run_uuid="${run.id}"}`,
          1,
        ],
        ['mlflow_run_last_metric_time_seconds{run_id="4de1a2b3",experiment_name="vision"}', (now - 1000) / 1000],
        ['mlflow_run_start_time_seconds{run_id="4de1a2b3",experiment_name="vision"}', (now - day) / 1000],
      ],
    );
  });

  it("say in which run one is nested, also when that is told later", () => {
    const view = createView({ max: 1000, retentionMs: day });
    const infoOf = (tags: Record<string, string>) => {
      const run = makeRun("b", { tags });
      view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)], runs: [run] }));
      return ids(view).find((id) => id.startsWith("mlflow_run_info{"));
    };
    assert.doesNotMatch(infoOf({}) ?? "", /parent_run_id/);
    assert.match(infoOf({ "mlflow.parentRunId": "4de1a2b3c4d5" }) ?? "", /,parent_run_id="4de1a2b3"\}$/);
    assert.doesNotMatch(infoOf({ "mlflow.parentRunId": "" }) ?? "", /parent_run_id/);
  });

  it("keep a metric time from an absurd clock out of the newest time", () => {
    const view = createView(options);
    view.apply(makeBatch({ samples: [makeSample(makeRun("a"), "loss", 2, { time: 2 ** 63 })] }));
    assert.ok(!ids(view).some((id) => id.startsWith("mlflow_run_last_metric_time_seconds")));
  });

  it("move when the stage or the experiment's name changes", () => {
    const view = createView(options);
    view.apply(makeBatch({ samples: [makeSample(makeRun("a"), "loss", 2)] }));
    view.apply(makeBatch({ runs: [makeRun("a", { stage: "Production", experiment: { id: "1", name: "audio" } })] }));
    assert.deepEqual(shown(view), {
      'mlflow_loss{run_id="a0000000",experiment_name="audio",model_stage="Production"}': 2,
    });
  });

  it("carry labels that a transform has added", () => {
    const view = createView(options);
    const run = makeRun("a");
    view.apply(
      makeBatch({ samples: [makeSample(run, "loss", 2, { labels: { team: "x" } }), makeSample(run, "loss", 3)] }),
    );
    assert.deepEqual(Object.keys(shown(view)), [
      'mlflow_loss{run_id="a0000000",experiment_name="vision",model_stage="None",team="x"}',
      'mlflow_loss{run_id="a0000000",experiment_name="vision",model_stage="None"}',
    ]);
  });
});

describe("names that fall together", () => {
  it("give the later key the label metric_key", () => {
    const view = createView(options);
    const run = makeRun("a");
    const keys = ["val.loss", "val/loss", "val loss", "val/loss"];
    view.apply(makeBatch({ samples: keys.map((key, step) => makeSample(run, key, step, { step })) }));
    const labels = 'run_id="a0000000",experiment_name="vision",model_stage="None"';
    assert.deepEqual(shown(view), {
      [`mlflow_val_loss{${labels}}`]: 0,
      [`mlflow_val_loss{${labels},metric_key="val/loss"}`]: 3,
      [`mlflow_val_loss{${labels},metric_key="val loss"}`]: 2,
    });
  });

  it("give the later run its full id, for as long as both live", () => {
    const view = createView(options);
    const [first, second] = [makeRun("12345678a"), makeRun("12345678b")];
    view.apply(makeBatch({ samples: [makeSample(first, "loss", 1), makeSample(second, "loss", 2)] }));
    const rest = 'experiment_name="vision",model_stage="None"';
    assert.deepEqual(shown(view), {
      [`mlflow_loss{run_id="12345678",${rest}}`]: 1,
      [`mlflow_loss{run_id="${second.id}",${rest}}`]: 2,
    });
    view.apply(makeBatch({ ended: [{ ...first, deleted: true }] }));
    assert.deepEqual(shown(view), { [`mlflow_loss{run_id="${second.id}",${rest}}`]: 2 });
  });

  it("keep a key apart from mlmon's own names", () => {
    const view = createView(options);
    view.apply(makeBatch({ samples: [makeSample(makeRun("a"), "runs", 1)], facts: [fact("runs", 7)] }));
    const labels = 'run_id="a0000000",experiment_name="vision",model_stage="None"';
    assert.deepEqual(shown(view), { [`mlflow_metric_runs{${labels}}`]: 1, mlflow_runs: 7 });
  });
});

describe("facts", () => {
  it("that fall on one name are told apart by metric_key, but for the first", () => {
    const view = createView(options);
    view.apply(makeBatch({ samples: [fact("gpu.temp", 1), fact("gpu/temp", 2)], source: "a" }));
    view.apply(makeBatch({ samples: [fact("gpu temp", 3)], source: "b" }));
    assert.deepEqual(
      view.latest(now).samples.map(({ name, series, value }) => [name, series?.id, value]),
      [
        ["gpu.temp", "mlflow_gpu_temp", 1],
        ["gpu temp", 'mlflow_gpu_temp{metric_key="gpu temp"}', 3],
        ["gpu/temp", 'mlflow_gpu_temp{metric_key="gpu/temp"}', 2],
      ],
    );
  });

  it("end when a lone NaN says that a name has none any more, and come back", () => {
    const view = createView(options);
    view.apply(makeBatch({ facts: [fact("model", 1, { version: "1" }), fact("model", 1, { version: "2" })] }));
    view.apply(makeBatch({ facts: [fact("model", Number.NaN)] }));
    assert.deepEqual(shown(view), {});
    view.apply(makeBatch({ facts: [fact("model", Number.NaN)] }));
    view.apply(makeBatch({ facts: [fact("model", 1, { version: "3" })] }));
    assert.equal(view.latest(now).samples.length, 1);
    view.apply(makeBatch({ facts: [fact("model", Number.NaN, { version: "3" })] }));
    assert.equal(view.latest(now).samples.length, 1);
  });

  it("replace the earlier ones of their name and leave other names alone", () => {
    const view = createView(options);
    view.apply(
      makeBatch({
        facts: [fact("runs", 1, { status: "running" }), fact("runs", 2, { status: "failed" }), fact("up", 1)],
      }),
    );
    view.apply(makeBatch({ facts: [fact("runs", 3, { status: "failed" })] }));
    assert.deepEqual(shown(view), { 'mlflow_runs{status="failed"}': 3, mlflow_up: 1 });
  });

  it("are added up over their labels for each source", () => {
    const view = createView(options);
    const running = fact("runs", 1, { status: "running" });
    view.apply(makeBatch({ facts: [running, fact("runs", 2, { status: "failed" })], source: "a" }));
    view.apply(makeBatch({ facts: [fact("runs", 10)], source: "b" }));
    assert.deepEqual(
      [view.fact("a", "runs"), view.fact("b", "runs"), view.fact("b", "experiments")],
      [3, 10, undefined],
    );
    view.apply(makeBatch({ facts: [fact("runs", Number.NaN)], source: "b" }));
    assert.equal(view.fact("b", "runs"), undefined);
  });

  it("of two sources carry the label source", () => {
    const view = createView(options);
    view.apply(makeBatch({ facts: [fact("up", 1)], source: "b" }));
    view.apply(makeBatch({ facts: [fact("up", 0)], source: "a" }));
    assert.deepEqual(shown(view), { 'mlflow_up{source="a"}': 0, 'mlflow_up{source="b"}': 1 });
  });

  it("that say the same again change nothing", () => {
    const view = createView(options);
    view.apply(makeBatch({ facts: [fact("up", 1)] }));
    const { version } = view;
    view.apply(makeBatch({ facts: [fact("up", 1)] }));
    assert.equal(view.version, version);
  });

  it("that the cap refuses change nothing, so that nothing is rendered for them", () => {
    const view = createView({ ...options, max: 1 });
    view.apply(makeBatch({ samples: [fact("load", 1)] }));
    const { version } = view;
    view.apply(makeBatch({ samples: [fact("other", 1)], facts: [fact("up", 1)] }));
    assert.equal(view.version, version);
    assert.deepEqual(
      [...view.counts().refused],
      [
        ["up", 1],
        ["other", 1],
      ],
    );
  });

  it("are joined by measured values that belong to no run", () => {
    const view = createView(options);
    view.apply(makeBatch({ samples: [fact("load", 1, { host: "a" }), fact("load", 2, { host: "b" })] }));
    view.apply(makeBatch({ samples: [{ ...fact("load", 3, { host: "b" }), time: 1 }] }));
    assert.deepEqual(shown(view), { 'mlflow_load{host="a"}': 1, 'mlflow_load{host="b"}': 3 });
  });

  it("keep the newest value of a series, however its labels are spelled", () => {
    const view = createView(options);
    const spellings = [{}, { empty: "" }, { "a-b": "x" }, { a_b: "x" }, { "a-b": "x" }, {}];
    for (const [step, labels] of spellings.entries()) {
      view.apply(makeBatch({ samples: [{ ...fact("load", step, labels), step }] }));
    }
    assert.deepEqual(shown(view), { mlflow_load: 5, 'mlflow_load{a_b="x"}': 4 });
    assert.equal(view.counts().series, 2);
  });
});

describe("versions()", () => {
  const groupBy = (run: { experiment: { name: string } }) => run.experiment.name;
  const inGroup = (id: string, name: string) => makeRun(id, { experiment: { id: name, name } });

  it("names no group before there was anything", () => {
    assert.equal(createView(options).versions().size, 0);
  });

  it("grows for the group that changes and for no other", () => {
    const view = createView(options);
    const [a, b] = [inGroup("a", "one"), inGroup("b", "two")];
    view.apply(makeBatch({ samples: [makeSample(a, "loss", 1), makeSample(b, "loss", 1)] }));
    const before = new Map(view.versions(groupBy));
    view.apply(makeBatch({ samples: [makeSample(a, "loss", 2, { step: 1 })] }));
    const after = view.versions(groupBy);
    assert.ok((after.get("one") ?? 0) > (before.get("one") ?? 0));
    assert.equal(after.get("two"), before.get("two"));
  });

  it("names a group no more that has emptied, and gives it a greater number when it is back", () => {
    const view = createView(options);
    const run = inGroup("a", "one");
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)] }));
    const before = view.versions(groupBy).get("one") ?? 0;
    view.apply(makeBatch({ ended: [{ ...run, deleted: true }] }));
    assert.deepEqual([...view.versions(groupBy)], []);
    assert.deepEqual(view.latest(now, { name: "one", groupBy }).samples, []);
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)] }));
    assert.ok((view.versions(groupBy).get("one") ?? 0) > before);
  });

  it("says how full the view is, and holds nothing of what has gone or was refused", () => {
    const view = createView({ ...options, max: 8 });
    const fill = () => Object.fromEntries(view.entries().map(({ of, count }) => [of, count]));
    const run = makeRun("a");
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1)] }));
    assert.deepEqual(fill(), { runs: 1, facts: 0, metric_names: 1, refused_keys: 0 });
    for (let index = 0; index < 200; index++) {
      view.apply(makeBatch({ samples: [fact(`fact ${index}`, 1)] }));
    }
    assert.deepEqual(fill(), { runs: 1, facts: 3, metric_names: 1, refused_keys: 100 });
    view.apply(makeBatch({ ended: [{ ...run, deleted: true }] }));
    assert.equal(fill().runs, 0);
  });

  it("grows for both groups when a run moves", () => {
    const view = createView(options);
    view.apply(makeBatch({ samples: [makeSample(inGroup("a", "one"), "loss", 1)] }));
    view.apply(makeBatch({ samples: [makeSample(inGroup("b", "one"), "loss", 1)] }));
    const before = view.versions(groupBy).get("one") ?? 0;
    view.apply(makeBatch({ runs: [inGroup("a", "two")] }));
    assert.ok((view.versions(groupBy).get("one") ?? 0) > before);
    view.apply(makeBatch({ runs: [inGroup("b", "two")] }));
    assert.equal(view.latest(now, { name: "one", groupBy }).samples.length, 0);
    assert.ok(view.latest(now, { name: "two", groupBy }).samples.length > 0);
  });

  it("does not grow by a point that changes nothing", () => {
    const view = createView(options);
    const run = makeRun("a");
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 1, { step: 5 })] }));
    const { version } = view;
    view.apply(makeBatch({ samples: [makeSample(run, "loss", 9, { step: 4 })], runs: [{ ...run }] }));
    assert.equal(view.version, version);
  });
});

function fact(name: string, value: number, labels?: Record<string, string>) {
  return { name, value, time: 0, step: 0, ...(labels && { labels }) };
}
