import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { Hono } from "hono";
import { prometheus } from "../../plugins/prometheus.ts";
import { serve } from "../../src/runtime/serve.ts";
import { createOwnMetrics } from "../../src/server/own-metrics.ts";
import { createView } from "../../src/view/create-view.ts";
import type { View } from "../../src/view/view.ts";
import { bed } from "../beds/bed.ts";
import type { Started } from "../beds/process.ts";
import { startPrometheus } from "../beds/servers.ts";
import { until } from "../beds/wait.ts";
import { parsePage } from "../prometheus/parse.ts";
import { makeStatus } from "../server/make-status.ts";
import { day, makeBatch, makeRun, makeSample, now } from "../view/make.ts";
import { ownSink, sinkContext } from "./make-sink.ts";

const own = "# HELP mlmon_read_total Samples read\n# TYPE mlmon_read_total counter\nmlmon_read_total 3\n";
const nasty = ["line\nend", "return\r", "nul\u0000", "lone\ud800", "漢字 😀", 'quote"', "back\\", "tab\t"];
const openMetrics = { accept: "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5" };

describe("prometheus()", () => {
  it("shows mlmon's own series alone before there are others", async () => {
    const { app } = await scrapePage();
    const response = await app.request("/metrics");
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(await response.text(), own);
  });

  it("shows what was delivered, and replaces it as a whole", async () => {
    const { app, deliver } = await scrapePage();
    await deliver(viewOf(["loss", "acc"]));
    await deliver(viewOf(["loss"]));
    const names = parsePage(await (await app.request("/metrics")).text()).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !name.startsWith("mlflow_run_")),
      ["mlflow_loss", "mlmon_read_total"],
    );
  });

  it("renders the page that it serves, but for mlmon's own series", async () => {
    const { app, sink, deliver } = await scrapePage();
    const view = viewOf(["loss"]);
    const [request] = sink.render(view.latest(now));
    assert.deepEqual(sink.render(view.latest(now)), [request]);
    await deliver(view);
    assert.ok(
      typeof request === "object" && request !== null && "body" in request && request.body instanceof Uint8Array,
    );
    assert.equal(await (await app.request("/metrics")).text(), new TextDecoder().decode(request.body) + own);
    assert.deepEqual(
      { ...request, body: "" },
      {
        method: "GET",
        url: "/metrics",
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
        body: "",
      },
    );
  });

  it("answers in OpenMetrics when asked, with one end", async () => {
    const { app, deliver } = await scrapePage();
    await deliver(viewOf(["loss"]));
    const response = await app.request("/metrics", { headers: openMetrics });
    assert.equal(response.headers.get("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert.equal(response.headers.get("vary"), "Accept, Accept-Encoding");
    const page = await response.text();
    assert.match(page, /# TYPE mlmon_read counter\nmlmon_read_total 3\n# EOF\n$/);
    assert.equal(page.match(/# EOF/g)?.length, 1);
  });

  it("answers with gzip when asked, the same page in both formats", async () => {
    const { app, deliver } = await scrapePage();
    await deliver(viewOf(Array.from({ length: 500 }, (_, key) => `é ${key}`)));
    for (const format of [{}, openMetrics]) {
      const plain = await (await app.request("/metrics", { headers: format })).text();
      const response = await app.request("/metrics", { headers: { ...format, "accept-encoding": "gzip" } });
      assert.equal(response.headers.get("content-encoding"), "gzip");
      const packed = new Uint8Array(await response.arrayBuffer());
      assert.ok(packed.length * 5 < plain.length);
      assert.equal(gunzipSync(packed).toString(), plain);
    }
  });

  it("serves at another path when told", async () => {
    const { app } = await scrapePage({ path: "/federate" });
    assert.equal((await app.request("/federate")).status, 200);
    assert.equal((await app.request("/metrics")).status, 404);
  });

  it("refuses an unknown option", () => {
    assert.throws(() => ownSink(prometheus(JSON.parse('{"pth":"/x"}'))), /pth/);
  });
});

const servers = await bed("servers");

// Prometheus scrapes some seconds after its start, longer than a hook may take under Bun.
const scraping = servers.skip ? undefined : await scrapeByPrometheus();
after(() => scraping?.stop());

describe("a real Prometheus that scrapes the page", { skip: servers.skip }, () => {
  const text = 'job="PrometheusText0.0.4"';
  const questions = [
    [`avg(mlflow_accuracy{${text}})`, { "": "0.75" }],
    [`count by (experiment_name) (mlflow_accuracy{${text}})`, { 'audio/ü "1"': "1", vision: "2" }],
    [
      `mlflow_accuracy{${text}} * on(run_id) group_left(run_name) mlflow_run_info{${text}}`,
      { "try a": "0.5", "try b": "1", "try c": "0.75" },
    ],
    [`mlflow_awkward{${text}}`, { nan: "NaN", inf: "+Inf", ninf: "-Inf" }],
    [`count(mlflow_val_loss{${text}}) + count(mlflow_val_loss{metric_key="val/loss", ${text}})`, { "": "3" }],
    // 16 metrics, 3 series of each of 3 runs, 9 facts.
    ['count by (job) ({__name__=~"mlflow_.+"})', { "OpenMetricsText1.0.0": "34", "PrometheusText0.0.4": "34" }],
    // 8 keys, and one that UTF-8 does not tell from another.
    ["sum by (job) (mlmon_series_refused_total)", { "OpenMetricsText1.0.0": "9", "PrometheusText0.0.4": "9" }],
    ["count by (job) (mlmon_samples_refused_total)", { "OpenMetricsText1.0.0": "8", "PrometheusText0.0.4": "8" }],
  ] as const;
  for (const [promql, answer] of questions) {
    it(`answers ${promql}`, async () => assert.deepEqual(await query(promql), answer));
  }

  it("warns of nothing in the last scrapes", async () => {
    const response = await fetch(`${scraping?.url}/api/v1/targets`);
    const { data } = await response.json();
    for (const { lastError, health } of data.activeTargets) assert.deepEqual([lastError, health], ["", "up"]);
  });
});

/** Values by the label that tells them apart. */
async function query(promql: string, url = scraping?.url): Promise<Record<string, string>> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`);
  const { data } = await response.json();
  const entries: [string, string][] = [];
  for (const { metric, value } of data.result) {
    const { kind, run_name, experiment_name, job } = metric;
    entries.push([kind ?? run_name ?? (promql.startsWith("count by (exp") ? experiment_name : job) ?? "", value[1]]);
  }
  return Object.fromEntries(entries);
}

/** Serves the page on a loopback port and has it scraped by a job for each format, whose reader judges it. */
async function scrapeByPrometheus(): Promise<Started> {
  const { app, deliver } = await scrapePage(undefined, await realOwnMetrics());
  await deliver(fullView());
  const page = await serve(app.fetch, { hostname: "127.0.0.1", port: 0 });
  const jobs = ["OpenMetricsText1.0.0", "PrometheusText0.0.4"].map((protocol) => ({
    job_name: protocol,
    scrape_protocols: [protocol],
    static_configs: [{ targets: [`127.0.0.1:${page.port}`] }],
  }));
  const config = { global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: jobs };
  const server = await startPrometheus({ config: JSON.stringify(config) });
  async function stop(): Promise<void> {
    await server.stop();
    await page.stop();
  }
  try {
    await until(async () => (await query("sum(up)", server.url))[""] === "2");
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: server.url, stop };
}

async function scrapePage(options?: { readonly path: string }, text = own) {
  const sink = ownSink(options ? prometheus(options) : prometheus());
  const app = new Hono();
  const ctx = sinkContext(text);
  await sink.setup?.(ctx);
  sink.serve?.(app);
  async function deliver(view: View): Promise<void> {
    for (const request of sink.render(view.latest(now))) {
      assert.deepEqual(await sink.deliver(request, ctx), { kind: "delivered" });
    }
  }
  return { app, sink, deliver };
}

/** With the keys and reasons that others choose. */
function realOwnMetrics(): Promise<string> {
  const refused = new Map([...nasty, "lone\ud801"].map((key) => [key, 1]));
  const ledger = nasty.map((reason) => ({ scope: "sink", id: "own", name: "refused", reason, count: 1 }) as const);
  const { view } = makeStatus();
  return createOwnMetrics(() => makeStatus({ view: { ...view, refused }, ledger })).text();
}

function viewOf(keys: readonly string[]): View {
  const view = createView({ max: 1000, retentionMs: day });
  view.apply(makeBatch({ samples: keys.map((key) => makeSample(makeRun("a"), key, 0.5)) }));
  return view;
}

function fullView(): View {
  const view = createView({ max: 1000, retentionMs: day });
  const audio = { id: "2", name: 'audio/ü "1"' };
  const [a, b] = [makeRun("a", { name: "try a" }), makeRun("b", { name: "try b" })];
  const c = makeRun("c", { name: "try c", experiment: audio });
  const awkward = [
    ["nan", Number.NaN],
    ["inf", Number.POSITIVE_INFINITY],
    ["ninf", Number.NEGATIVE_INFINITY],
  ] as const;
  view.apply(
    makeBatch({
      samples: [
        makeSample(a, "accuracy", 0.5),
        makeSample(b, "accuracy", 1),
        makeSample(c, "accuracy", 0.75),
        makeSample(a, "val.loss", 1),
        makeSample(a, "val/loss", 2),
        ...awkward.map(([kind, value]) => makeSample(a, "awkward", value, { labels: { kind } })),
        ...nasty.map((text) => makeSample(b, "nasty", 1, { labels: { text } })),
      ],
      facts: [
        { name: "up", value: 1, time: 0, step: 0 },
        ...nasty.map((name, value) => ({ name: "runs", value, time: 0, step: 0, labels: { name } })),
      ],
    }),
  );
  return view;
}
