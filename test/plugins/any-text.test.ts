import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { console as consoleSink } from "../../plugins/console.ts";
import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import type { Batch } from "../../src/model/batch.ts";
import type { SinkEntry } from "../../src/model/define.ts";
import { previewRequest } from "../../src/preview/request-preview.ts";
import { createView } from "../../src/view/create-view.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";
import { parsePage } from "../prometheus/parse.ts";
import { httpSink, ownSink } from "./make-sink.ts";

/** Any text, with what breaks lines, quotes, paths, headers and terminals more often than chance. */
const nasty = [
  '"',
  "\\",
  "\n",
  "\r\n",
  "\t",
  "\u0000",
  "\u001b[2J",
  "/",
  "..",
  "%2f",
  "#",
  "?",
  "{}",
  "\ud800",
  "\u2028",
  "ÿ",
  "📉",
];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc
    .array(fc.oneof(fc.constantFrom(...nasty), fc.string({ maxLength: 3 })), { maxLength: 5 })
    .map((parts) => parts.join("")),
);
const batch = fc
  .array(fc.record({ key: text, experiment: text, tag: text, stage: text, name: text }), { minLength: 1, maxLength: 5 })
  .map((rows) => {
    const runs = rows.map(({ experiment, tag, stage, name }, index) =>
      makeRun({
        id: `${index}`.repeat(32),
        name,
        stage,
        user: tag,
        tags: { [tag]: tag },
        experiment: { id: `${index}`, name: experiment },
      }),
    );
    const samples = rows.flatMap(({ key }, index) =>
      makeSamples(1, { name: key === "" ? "x" : key, run: runs[index] ?? makeRun() }),
    );
    return makeBatch(samples, { runs });
  });

/** What the sink is given of a batch: points, or whole groups of latest values. */
function given(points: Batch, groupBy?: (run: Batch["samples"][number]["run"] & object) => string): readonly Batch[] {
  const view = createView({ max: 1000, retentionMs: 1e15 });
  view.apply(points);
  return [...view.versions(groupBy).keys()].map((name) => ({
    ...view.latest(points.time, groupBy && { name, groupBy }),
    group: name,
  }));
}

function bodyOf(request: unknown): string {
  const { body } = previewRequest(request);
  return typeof body === "string" ? body : "";
}

describe("any text in keys, names and tags", () => {
  it("makes a page that every parser reads", () => {
    const sink = ownSink(prometheus());
    fc.assert(
      fc.property(batch, (points) => {
        for (const group of given(points)) for (const request of sink.render(group)) parsePage(bodyOf(request));
      }),
      { numRuns: 500 },
    );
  });

  it("makes pushes whose path names one job and one group, whatever the group's name", () => {
    const entry: SinkEntry = pushgateway({ endpoint: "http://localhost:9091", groupBy: "experiment" });
    const sink = httpSink(entry);
    fc.assert(
      fc.property(batch, (points) => {
        for (const group of given(points, sink.groupBy)) {
          for (const { url, headers, body } of sink.render(group)) {
            const { pathname, search, hash, host } = new URL(url);
            assert.deepEqual([host, search, hash], ["localhost:9091", "", ""]);
            const parts = pathname.split("/");
            assert.equal(parts.length, group.group === "" ? 4 : 6, pathname);
            assert.ok(Object.values(headers ?? {}).every((value) => !/[\r\n]/.test(String(value))));
            parsePage(Buffer.from(body ?? "").toString("utf8"));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("makes JSON that holds every key as it was logged", () => {
    const sink = httpSink(pramathus({ endpoint: "http://localhost/in", tags: "all" }));
    fc.assert(
      fc.property(batch, (points) => {
        const requests = sink.render(points);
        assert.equal(requests.length, 1);
        const said = JSON.stringify(JSON.parse(String(requests[0]?.body)));
        for (const { name } of points.samples) assert.ok(said.includes(JSON.stringify(name)), name);
      }),
      { numRuns: 500 },
    );
  });

  it("makes one line for each sample, without a character that moves a terminal", () => {
    const sink = ownSink(consoleSink());
    fc.assert(
      fc.property(batch, (points) => {
        const lines = sink.render(points).map(bodyOf).join("").split("\n").slice(0, -1);
        assert.deepEqual(
          lines.map((line) => JSON.parse(line).name),
          points.samples.map(({ name }) => name),
        );
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones
        assert.ok(lines.every((line) => !/[\u0000-\u001f]/.test(line)));
      }),
      { numRuns: 500 },
    );
  });
});
