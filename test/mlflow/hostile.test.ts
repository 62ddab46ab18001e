import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import { createClient } from "../../src/mlflow/client.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { MlflowError } from "../../src/mlflow/mlflow-error.ts";
import { checkSamples } from "../../src/pipeline/check-samples.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { localServer } from "./proxy.ts";

const timeout = 120_000;
const runs = ["a", "b"].map((digit) => digit.repeat(32));
const point = (step: number) => ({ key: "loss", value: 0.5, timestamp: 1000 + step, step });
/** What a healthy server answers, by the end of the path. */
const answers: Readonly<Record<string, unknown>> = {
  "experiments/search": { experiments: [{ experiment_id: "1", name: "e", creation_time: 1, tags: [] }] },
  "runs/search": {
    runs: runs.map((run_id) => ({
      info: { run_id, experiment_id: "1", run_name: "r", status: "RUNNING", start_time: 1 },
      data: { metrics: [point(2)], params: [{ key: "p", value: "1" }], tags: [{ key: "t", value: "1" }] },
    })),
  },
  "metrics/get-history": { metrics: [point(1), point(2)] },
  "metrics/get-history-bulk": { metrics: runs.flatMap((run_id) => [1, 2].map((step) => ({ ...point(step), run_id }))) },
  "registered-models/search": { registered_models: [{ name: "m", latest_versions: [{ name: "m", version: "1" }] }] },
};
const endpoints = Object.keys(answers);

/** Any JSON, with the numbers, texts and depths that break readers. */
const junk = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    null,
    "",
    -1,
    1e308,
    2 ** 63,
    "NaN",
    "9223372036854775807",
    "__proto__",
    [],
    {},
    [[]],
    "\u0000\ud800",
  ),
  fc.integer({ min: 1000, max: 10_000 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`),
);

/** The places of a value, each as the keys that lead there. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, part]) => places(part, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return by;
  if (Array.isArray(value))
    return value.map((part, index) => (String(index) === key ? replaced(part, rest, by) : part));
  return { ...value, [key]: replaced(Reflect.get(value, key), rest, by) };
}

describe("mlflow source on a hostile server", () => {
  it("gives correct samples or an MlflowError for any JSON in any place of any answer", { timeout }, async () => {
    let answer: (path: string) => string = () => "{}";
    const server = await localServer(({ path }, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(answer(path));
    });
    const spoilt = fc
      .constantFrom(...endpoints)
      .chain((endpoint) => fc.tuple(fc.constant(endpoint), fc.constantFrom(...places(answers[endpoint])), junk));
    try {
      await fc.assert(
        fc.asyncProperty(spoilt, async ([endpoint, place, by]) => {
          answer = (path) => {
            const name = endpoints.find((end) => new URL(path, "http://x").pathname.endsWith(end));
            const value = name === undefined ? {} : answers[name];
            return JSON.stringify(name === endpoint ? replaced(value, place, by) : value);
          };
          const journal = memoryJournal();
          try {
            const source = mlflowSource(options(server.url), { attempts: 1, backoffMs: 1 });
            for await (const batch of source.read(context(journal))) journal.take(batch);
          } catch (error) {
            assert.ok(error instanceof MlflowError, String(error instanceof Error ? error.stack : error));
          }
          for (const { samples } of journal.batches) checkSamples(samples, "the source");
          const count = journal.batches.reduce((sum, { samples }) => sum + samples.length, 0);
          assert.ok(count <= 5, `${count} samples of four`);
        }),
        { numRuns: 400 },
      );
    } finally {
      server.close();
    }
  });

  it("leaves a body that does not end, with an error that says so", { timeout }, async () => {
    let sent = 0;
    const server = await localServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = '{"experiments": ['.padEnd(64 * 1024);
      const pour = () => {
        while (response.writable && response.write(chunk)) sent += chunk.length;
      };
      response.on("drain", pour).on("error", () => {});
      pour();
    });
    const client = createClient(options(server.url), { attempts: 1, maxBytes: 1024 ** 2 });
    const asked = client.get("/api/2.0/mlflow/experiments/search", [], v.object({}));
    await assert.rejects(asked, /gave no answer of MLflow \(more than 1 MiB\): check trackingUri/);
    server.close();
    assert.ok(sent < 64 * 1024 ** 2, `${sent} bytes were sent`);
  });

  it("reads no more of a number than JSON has, and of bytes that are no UTF-8 what can be read", {
    timeout,
  }, async () => {
    const bytes = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    const server = await localServer((_, response) => void response.writeHead(200).end(bytes));
    const client = createClient(options(server.url), { attempts: 1 });
    assert.deepEqual(await client.get("/x", [], v.record(v.string(), v.unknown())), { "\ufffd\ufffd": 1 });
    server.close();
  });
});
