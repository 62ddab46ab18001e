import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { LedgerRow } from "../../src/journal/journal.ts";
import { createOwnMetrics } from "../../src/server/own-metrics.ts";
import type { Status } from "../../src/server/status.ts";
import { bed } from "../beds/bed.ts";
import { makeSink, makeSource, makeStatus, now } from "./make-status.ts";

const servers = await bed("servers");

const ledger: readonly LedgerRow[] = [
  { scope: "source", id: "mlflow", name: "read", reason: "", count: 1000 },
  { scope: "source", id: "mlflow", name: "nonfinite", reason: "", count: 7 },
  { scope: "transform", id: "filter", name: "filtered", reason: "mlflow", count: 45 },
  { scope: "sink", id: "pramathus", name: "delivered", reason: "", count: 900 },
  { scope: "sink", id: "pramathus", name: "unmatched", reason: "", count: 30 },
  { scope: "sink", id: "pramathus", name: "refused", reason: "not_finite", count: 7 },
  { scope: "sink", id: "pramathus", name: "dead", reason: "http_400", count: 2 },
  { scope: "sink", id: "pramathus", name: "dead", reason: "rejected", count: 1 },
];

const full = makeStatus({
  ledger,
  sinks: [
    makeSink({ waiting: 15, lagSeconds: 2.5, requests: { delivered: 9, retry: 3, rejected: 0, paused: 1, split: 2 } }),
  ],
  view: { series: 10, runs: 2, max: 100, refused: new Map([['a "quoted"\nkey', 4]]) },
});

async function lines(status: Status): Promise<readonly string[]> {
  return (await createOwnMetrics(() => status).text()).split("\n");
}

describe("mlmon's own series", () => {
  it("hold every figure of the status", async () => {
    const page = await lines(full);
    for (const line of [
      'mlmon_samples_read_total{source="mlflow"} 1000',
      'mlmon_samples_nonfinite_total{source="mlflow"} 7',
      'mlmon_samples_filtered_total{transform="filter",source="mlflow"} 45',
      'mlmon_samples_delivered_total{sink="pramathus"} 900',
      'mlmon_samples_unmatched_total{sink="pramathus"} 30',
      'mlmon_samples_refused_total{sink="pramathus",reason="not_finite"} 7',
      'mlmon_dead_letters_total{sink="pramathus",reason="http_400"} 2',
      'mlmon_dead_letters_total{sink="pramathus",reason="rejected"} 1',
      'mlmon_sink_waiting_samples{sink="pramathus"} 15',
      'mlmon_sink_lag_seconds{sink="pramathus"} 2.5',
      `mlmon_sink_last_success_timestamp_seconds{sink="pramathus"} ${(now - 4000) / 1000}`,
      'mlmon_sink_requests_total{sink="pramathus",outcome="delivered"} 9',
      'mlmon_sink_requests_total{sink="pramathus",outcome="retry"} 3',
      'mlmon_sink_request_seconds_total{sink="pramathus"} 1.5',
      'mlmon_source_up{source="mlflow"} 1',
      `mlmon_source_last_success_timestamp_seconds{source="mlflow"} ${(now - 5000) / 1000}`,
      "mlmon_journal_bytes 1500000",
      "mlmon_journal_age_seconds 60",
      `mlmon_journal_max_age_seconds ${30 * 86_400}`,
      `mlmon_journal_disk_free_bytes ${100 * 1024 ** 3}`,
      `mlmon_journal_fill_ratio ${1_500_000 / 1024 ** 3}`,
      `mlmon_journal_max_bytes ${1024 ** 3}`,
      'mlmon_entries{part="view",of="runs"} 12',
      'mlmon_entries_max{part="view",of="runs"} 25000',
      'mlmon_entries{part="source/mlflow",of="state"} 34',
      "mlmon_series 10",
      "mlmon_series_max 100",
      'mlmon_series_refused_total{key="a \\"quoted\\"\\nkey"} 4',
      `process_start_time_seconds ${full.startedAt / 1000}`,
    ]) {
      assert.ok(page.includes(line), `${line}\n\n${page.join("\n")}`);
    }
    assert.ok(page.some((line) => /^mlmon_build_info\{version="0\.1\.0",runtime="(bun|deno)"\} 1$/.test(line)));
    assert.ok(page.some((line) => /^process_resident_memory_bytes [1-9]\d{6,}$/.test(line)));
    assert.ok(page.some((line) => /^process_cpu_seconds_total [\d.]+$/.test(line)));
  });

  it("begin counters at 0, so that the first increase is seen by rate()", async () => {
    const page = await lines(makeStatus({ ledger: [] }));
    for (const name of ["samples_read_total", "samples_nonfinite_total"])
      assert.ok(page.includes(`mlmon_${name}{source="mlflow"} 0`), name);
    for (const name of ["samples_delivered_total", "samples_unmatched_total"])
      assert.ok(page.includes(`mlmon_${name}{sink="pramathus"} 0`), name);
    assert.ok(page.includes('mlmon_sink_requests_total{sink="pramathus",outcome="retry"} 0'));
  });

  it("are gathered anew at each scrape, and forget what is gone", async () => {
    let status = full;
    const metrics = createOwnMetrics(() => status);
    assert.equal(await metrics.text().then(count), await metrics.text().then(count));
    status = makeStatus({ sinks: [], ledger: [] });
    assert.doesNotMatch(await metrics.text(), /pramathus|http_400/);
    const [first, second] = await Promise.all([metrics.text(), metrics.text()]);
    assert.equal(count(first), count(second));
  });

  it("say that a source is down, and nothing of a success that has never been", async () => {
    const page = await lines(makeStatus({ sources: [makeSource({ state: "failing", lastSuccess: undefined })] }));
    assert.ok(page.includes('mlmon_source_up{source="mlflow"} 0'));
    assert.ok(!page.some((line) => line.startsWith("mlmon_source_last_success_timestamp_seconds{")));
  });

  it("give infinity as the most bytes of a journal without a bound", async () => {
    const page = await lines(makeStatus({ journal: { ...makeStatus().journal, maxBytes: Number.POSITIVE_INFINITY } }));
    assert.ok(page.includes("mlmon_journal_max_bytes +Inf"));
  });

  it("pass promtool's check of metrics", { skip: servers.skip }, async () => {
    const child = spawn(join(servers.bin, "promtool"), ["check", "metrics"]);
    child.stdin.end(await createOwnMetrics(() => full).text());
    const [out, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.equal(out + problems, "");
  });
});

/** Lines that do not change with the process. */
function count(page: string): string {
  return page.replace(/^process_.*$/gm, "");
}
