/**
 * Renders a page of 100 000 series by mlmon and by prom-client in the same run, and prints both times (the best of
 * fifteen rounds), their ratio, and what building the batch and holding the view cost. Run: `bun bench/exposition.ts`.
 */
import { Gauge, Registry } from "prom-client";
import type { Run } from "../src/model/run.ts";
import type { Sample } from "../src/model/sample.ts";
import { renderExposition } from "../src/prometheus/exposition.ts";
import { createView } from "../src/view/create-view.ts";

const runs = 1000;
const keys = 96;
const before = process.memoryUsage().rss;
const view = createView({ max: 100_000, retentionMs: 86_400_000 });
for (let index = 0; index < runs; index++) view.apply({ time: 1e12, samples: samplesOf(index), ended: [] });
const held = process.memoryUsage().rss - before;

const batch = view.latest(0);
const registry = registryOf(batch.samples);
const best = { render: 1e9, promClient: 1e9, latest: 1e9, latestAndRender: 1e9 };
for (let round = 0; round < 15; round++) {
  await time("render", () => renderExposition(batch.samples, { format: "text" }));
  await time("promClient", () => registry.metrics());
  await time("latest", () => view.latest(0));
  await time("latestAndRender", () => renderExposition(view.latest(0).samples, { format: "text" }));
}

console.log(
  JSON.stringify({
    series: batch.samples.length,
    renderMs: Math.round(best.render),
    promClientMs: Math.round(best.promClient),
    ratio: Number((best.promClient / best.render).toFixed(1)),
    latestMs: Math.round(best.latest),
    latestAndRenderMs: Math.round(best.latestAndRender),
    viewMiB: Math.round(held / 2 ** 20),
  }),
);

function samplesOf(index: number): Sample[] {
  const run: Run = {
    id: (index * 2_654_435_761 + 0x1_0000_0000).toString(16).padEnd(32, "0"),
    name: `run ${index}`,
    experiment: { id: String(index % 20), name: `experiment ${index % 20}` },
    status: "running",
    startTime: 1e12 - index,
    user: "bench",
    stage: "None",
    tags: {},
    params: {},
  };
  return Array.from({ length: keys }, (_, key) => ({
    name: `val/metric_${key}`,
    value: Math.sin(index * keys + key),
    time: 1e12 - 1,
    step: key,
    run,
  }));
}

function registryOf(samples: readonly Sample[]): Registry {
  const registry = new Registry();
  const gauges = new Map<string, Gauge>();
  for (const { series, value } of samples) {
    if (!series) continue;
    const { name, labels } = series;
    const gauge =
      gauges.get(name) ?? new Gauge({ name, help: name, labelNames: Object.keys(labels), registers: [registry] });
    gauges.set(name, gauge);
    gauge.set({ ...labels }, value);
  }
  return registry;
}

/** The best of all rounds: whatever else the machine does can only make a round slower. */
async function time(name: keyof typeof best, work: () => unknown): Promise<void> {
  const start = performance.now();
  await work();
  best[name] = Math.min(best[name], performance.now() - start);
}
