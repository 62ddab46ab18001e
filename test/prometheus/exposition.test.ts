import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";
import type { Sample } from "../../src/model/sample.ts";
import { formatValue, renderExposition } from "../../src/prometheus/exposition.ts";
import { toOpenMetrics } from "../../src/prometheus/open-metrics.ts";
import { createView } from "../../src/view/create-view.ts";
import { bed } from "../beds/bed.ts";
import { makeBatch, makeRun, makeSample } from "../view/make.ts";
import { parsePage } from "./parse.ts";

const servers = await bed("servers");

describe("renderExposition()", () => {
  it("writes HELP, TYPE and a line a series, without a timestamp", () => {
    const view = createView({ max: 100, retentionMs: 1e9 });
    const run = makeRun("4de1a2b3ff", { stage: 'Pro"d\\\n' });
    view.apply(makeBatch({ samples: [makeSample(run, 'val/"loss"', 0.25)] }));
    const samples = view.latest(0).samples.filter(({ name }) => name.startsWith("val"));
    assert.equal(
      text(samples),
      "# HELP mlflow_val__loss_ Latest value of the MLflow metric 'val/'loss''.\n" +
        "# TYPE mlflow_val__loss_ gauge\n" +
        'mlflow_val__loss_{run_id="4de1a2b3",experiment_name="vision",model_stage="Pro\\"d\\\\\\n"} 0.25\n',
    );
  });

  it("writes nothing for no samples, and only the end in OpenMetrics", () => {
    assert.equal(text([]), "");
    assert.equal(text([], "openmetrics"), "# EOF\n");
  });

  it("grows beyond its first buffer with letters of every width", () => {
    const samples = Array.from({ length: 3000 }, (_, index) => fact("x", index, { letter: `é漢😀 ${index}` }));
    assert.equal(parsePage(text(samples)).length, 3000);
  });

  it("never breaks or doubles a line, whatever keys, names and labels hold", () => {
    const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.constantFrom(...nasty));
    const anySample = fc.record({
      run: fc.nat(3),
      key: anyText,
      value: fc.double(),
      labels: fc.option(fc.dictionary(anyText, anyText, { maxKeys: 3 }), { nil: undefined }),
    });
    const anyRun = fc.record({ id: fc.string({ unit: "binary", minLength: 1 }), stage: anyText, name: anyText });
    const property = fc.property(
      fc.array(anyRun, { minLength: 4, maxLength: 4 }),
      fc.array(anySample),
      (runs, given) => {
        const view = createView({ max: 10_000, retentionMs: 1e9 });
        const made = runs.map(({ id, ...run }) => ({ ...makeRun("x", run), id, experiment: { id, name: run.name } }));
        const samples = given.flatMap(({ run, key, value, labels }, step): Sample[] => {
          const owner = made[run];
          return owner ? [makeSample(owner, key, value, { step, ...(labels && { labels }) })] : [];
        });
        view.apply(makeBatch({ samples, facts: samples.map(({ run: _, ...rest }) => rest) }));
        const latest = view.latest(0).samples;
        assert.equal(parsePage(text(latest)).length, latest.length);
        assert.equal(parsePage(text(latest, "openmetrics"), "openmetrics").length, latest.length);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it("passes promtool check metrics", { skip: servers.skip }, () => {
    const view = createView({ max: 100, retentionMs: 1e9 });
    const samples = nasty.map((key, index) => makeSample(makeRun("4de1", { name: key }), key, index));
    view.apply(makeBatch({ samples, facts: [fact("experiments", 2), fact("up", 1)] }));
    const { status, stderr } = spawnSync(join(servers.bin, "promtool"), ["check", "metrics"], {
      input: text(view.latest(0).samples),
    });
    // 3 says that the linter would like other names; 1 that the page cannot be read.
    assert.ok(status === 0 || status === 3, String(stderr));
  });
});

describe("formatValue()", () => {
  const table = [
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NEGATIVE_INFINITY, "-Inf"],
    [-0, "-0"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [0.1 + 0.2, "0.30000000000000004"],
  ] as const;
  for (const [value, wanted] of table) {
    it(`writes ${wanted}`, () => assert.equal(formatValue(value), wanted));
  }
});

describe("toOpenMetrics()", () => {
  it("gives counters their family name and keeps histograms", async () => {
    const registry = new Registry();
    new Counter({ name: "mlmon_read_total", help: 'Samples "read"', registers: [registry] }).inc(3);
    new Counter({ name: "odd", help: "No total", registers: [registry] }).inc(3);
    new Histogram({ name: "mlmon_seconds", help: "Time", buckets: [1], registers: [registry] }).observe(0.5);
    const page = toOpenMetrics(await registry.metrics());
    assert.match(page, /^# HELP mlmon_read Samples \\"read\\"\n# TYPE mlmon_read counter\nmlmon_read_total 3\n/);
    assert.match(page, /# TYPE odd unknown\nodd 3\n/);
    assert.match(page, /# TYPE mlmon_seconds histogram\nmlmon_seconds_bucket\{le="1"\} 1\n/);
    assert.doesNotMatch(page, /\n\n/);
  });
});

const nasty = [
  'a"b',
  "a\\",
  "a\nb",
  "a\rb",
  "\u0000",
  "\ud800",
  "a.b",
  "a_b",
  "a b",
  "",
  "é漢😀",
  "runs",
  "__name__",
  "le",
];

function text(samples: readonly Sample[], format: "text" | "openmetrics" = "text"): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(renderExposition(samples, { format }));
}

function fact(name: string, value: number, labels: Record<string, string> = {}): Sample {
  return { name, value, time: 0, step: 0, labels };
}
