import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { console as consoleSink } from "../../plugins/console.ts";
import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { classify } from "../../src/delivery/classify.ts";
import type { Batch } from "../../src/model/batch.ts";
import type { AnySink, SinkEntry } from "../../src/model/define.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { previewRequest } from "../../src/preview/request-preview.ts";
import { createView } from "../../src/view/create-view.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

/** Every sink of the folder, with options that a user might write. */
const sinks: Readonly<Record<string, readonly SinkEntry[]>> = {
  console: [consoleSink(), consoleSink({ path: "out.ndjson" })],
  pramathus: [
    pramathus({ endpoint: "http://localhost/in", apiKey: "abcdefgh" }),
    pramathus({ endpoint: "http://localhost/in", nonFinite: "text", tags: "all" }),
  ],
  prometheus: [prometheus()],
  pushgateway: [
    pushgateway({ endpoint: "localhost:9091" }),
    pushgateway({ endpoint: "http://localhost:9091", groupBy: "experiment" }),
  ],
};

/** What every receiver over HTTP means by an answer; what is too large may have no halves. */
const shared: Readonly<Record<number, readonly Outcome["kind"][]>> = {
  307: ["rejected"],
  400: ["split", "rejected"],
  401: ["paused"],
  403: ["paused"],
  404: ["paused"],
  413: ["split", "paused"],
  415: ["rejected"],
  429: ["retry"],
  500: ["retry"],
  501: ["rejected"],
  502: ["retry"],
  503: ["retry"],
  504: ["retry"],
};

const folder = join(import.meta.dirname, "../../plugins");

describe("every sink", () => {
  it("of the folder plugins is driven through by this test", () => {
    const files = readdirSync(folder).map((file) => file.replace(/\.tsx?$/, ""));
    assert.deepEqual(files.sort(), Object.keys(sinks).sort());
  });

  for (const entry of Object.values(sinks).flat()) {
    const name = `${entry.type}(${JSON.stringify(entry.options)})`;
    const made = create(entry);

    it(`${name} renders equal bytes for equal batches and does not touch its input`, () => {
      for (const batch of batchesFor(made)) {
        const first = made.sink.render(frozen(batch)).map(previewRequest);
        const second = create(entry)
          .sink.render(frozen(structuredClone(batch)))
          .map(previewRequest);
        assert.ok(first.length > 0);
        assert.deepEqual(first, second);
      }
    });

    it(`${name} shows no secret in what it renders`, () => {
      for (const batch of batchesFor(made)) {
        assert.doesNotMatch(JSON.stringify(made.sink.render(batch).map(previewRequest)), /abcdefgh/);
      }
    });

    if (made.transport === "http") {
      it(`${name} gives an outcome for every status and never throws`, async () => {
        for (let status = 200; status < 600; status++) {
          const empty = [204, 205, 304].includes(status);
          const response = new Response(empty ? null : "words", { status });
          const outcome: Outcome = await (made.sink.classify ?? classify)(response);
          assert.equal(outcome.kind === "delivered", status < 300, String(status));
          const expected = shared[status];
          if (expected) assert.ok(expected.includes(outcome.kind), `${status}: ${outcome.kind}`);
          if ("reason" in outcome) assert.match(outcome.reason, new RegExp(`^${status}\\b`));
        }
      });
    }
  }
});

function create(entry: SinkEntry): AnySink {
  const prepared = entry.prepare();
  if (!prepared.ok) throw new Error(`${entry.type} refuses its options`);
  return prepared.create();
}

/** Points for a sink of points; for one of latest values what a view gives, whole and by groups. */
function batchesFor({ sink }: AnySink): readonly Batch[] {
  const awkward = [Number.NaN, Number.POSITIVE_INFINITY, -0, 5e-324].flatMap((value, index) =>
    makeSamples(1, { value, name: `späne/${index} "q"`, run: makeRun({ experiment: { id: "2", name: "a/b\nc" } }) }),
  );
  const batch = makeBatch([...makeSamples(3), ...awkward], { runs: [makeRun()] });
  if (sink.consumes !== "latest") return [batch];
  const view = createView({ max: 1000, retentionMs: 1e12 });
  view.apply(batch);
  const { groupBy } = sink;
  return [...view.versions(groupBy).keys()].map((name) => ({
    ...view.latest(batch.time, groupBy && { name, groupBy }),
    group: name,
  }));
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
