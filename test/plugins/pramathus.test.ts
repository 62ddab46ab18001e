import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import type { HttpRequest } from "../../src/model/http-request.ts";
import type { HttpSink } from "../../src/model/sink.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

const endpoint = "https://pramathus.example.com/api/metrics";

function make(options: Partial<Parameters<typeof pramathus>[0]> = {}): HttpSink {
  const prepared = pramathus({ endpoint, ...options }).prepare();
  if (!prepared.ok) throw new Error("refused");
  const made = prepared.create();
  if (made.transport !== "http") throw new Error("no HTTP sink");
  return made.sink;
}

function bodyOf(requests: readonly HttpRequest[]): unknown {
  assert.equal(requests.length, 1);
  return JSON.parse(String(requests[0]?.body));
}

describe("pramathus", () => {
  it("renders the body, the address and the headers of its contract", () => {
    const [request] = make({ apiKey: "abcdefgh" }).render(makeBatch(makeSamples(1)));
    assert.equal(request?.method, "POST");
    assert.equal(request?.url, endpoint);
    assert.equal(request?.headers?.["content-type"], "application/json");
    assert.equal(String(request?.headers?.authorization), "Bearer <secret pramathus.apiKey>");
    assert.deepEqual(bodyOf(request ? [request] : []), {
      timestamp: 1_700_000_100_000,
      source: "mlflow",
      metrics: [
        {
          name: "loss",
          value: 0,
          timestamp: 1_700_000_000_000,
          metadata: {
            run_id: "4de1a2b3c4d5e6f708192a3b4c5d6e7f",
            experiment_name: "vision",
            step: 0,
            tags: { team: "vision" },
          },
        },
      ],
    });
  });

  const values: readonly (readonly [nonFinite: "null" | "text", value: number, sent: unknown])[] = [
    ["null", Number.NaN, null],
    ["null", Number.POSITIVE_INFINITY, null],
    ["text", Number.NaN, "NaN"],
    ["text", Number.NEGATIVE_INFINITY, "-Infinity"],
    ["text", 0.30000000000000004, 0.30000000000000004],
    ["null", 5e-324, 5e-324],
  ];
  for (const [nonFinite, value, sent] of values) {
    it(`sends ${value} as ${JSON.stringify(sent)} with nonFinite "${nonFinite}"`, () => {
      const body = bodyOf(make({ nonFinite }).render(makeBatch(makeSamples(1, { value }))));
      assert.deepEqual(Reflect.get(Object(body), "metrics")[0].value, sent);
    });
  }

  it("refuses what is not finite with nonFinite skip, and samples without a run", () => {
    const sink = make({ nonFinite: "skip" });
    const [sample] = makeSamples(1, { value: Number.NaN });
    assert.equal(sample && sink.refuse?.(sample), "not_finite");
    assert.equal(sink.refuse?.({ name: "up", value: 1, time: 0, step: 0 }), "no_run");
  });

  const choices: readonly (readonly [tags: "user" | "all" | "none" | string[], names: string[]])[] = [
    ["user", ["team"]],
    ["all", ["mlflow.runName", "team"]],
    ["none", []],
    [["mlflow.runName"], ["mlflow.runName"]],
  ];
  for (const [tags, names] of choices) {
    it(`sends the tags ${names.join(", ") || "none"} for ${JSON.stringify(tags)}`, () => {
      const body = bodyOf(make({ tags }).render(makeBatch(makeSamples(1))));
      assert.deepEqual(Object.keys(Reflect.get(Object(body), "metrics")[0].metadata.tags).sort(), names);
    });
  }

  it("carries labels with the tags, any Unicode as it is", () => {
    const run = makeRun({ tags: { owner: 'späne "x"\n' } });
    const body = bodyOf(make().render(makeBatch(makeSamples(1, { run, labels: { team: "指标" } }))));
    assert.deepEqual(Reflect.get(Object(body), "metrics")[0].metadata.tags, { owner: 'späne "x"\n', team: "指标" });
  });

  it("checks itself by an empty list, which leaves nothing behind", () => {
    const request = make().check?.();
    assert.deepEqual(bodyOf(request ? [request] : []), { timestamp: 0, source: "mlflow", metrics: [] });
  });
});
