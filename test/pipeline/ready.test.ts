import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { notReady } from "../../src/pipeline/ready.ts";
import type { SinkReport, SourceReport } from "../../src/server/status.ts";
import { makeSink, makeSource, now } from "../server/make-status.ts";

const startedAt = now - 10 * 3_600_000;
const of = (source: Partial<SourceReport>, sink: Partial<SinkReport> = {}) =>
  notReady({ sources: [makeSource(source)], sinks: [makeSink(sink)], startedAt, now });
const lastError = { time: now - 1000, reason: "connection refused" };

describe("notReady()", () => {
  it("is silent while every source and sink has had a success of late", () => {
    assert.deepEqual(of({}), []);
  });

  it("names a source that has had no good poll yet, with its last error", () => {
    const [sentence] = of({ lastSuccess: undefined, lastError });
    assert.equal(sentence, 'source "mlflow": no success yet, 36000 s after the start (connection refused)');
  });

  it("waits for three intervals of a source, and at least 60 s", () => {
    assert.deepEqual(of({ intervalMs: 1000, lastSuccess: now - 60_000 }), []);
    assert.deepEqual(of({ intervalMs: 1000, lastSuccess: now - 61_000 }), ['source "mlflow": no success for 61 s']);
    assert.deepEqual(of({ intervalMs: 60_000, lastSuccess: now - 180_000 }), []);
    assert.equal(of({ intervalMs: 60_000, lastSuccess: now - 181_000 }).length, 1);
  });

  const late = { lastSuccess: now - 3_600_000, lastError } as const;
  const cases: readonly [what: string, sink: Partial<SinkReport>, ready: boolean][] = [
    ["has nothing to do for an hour", { ...late }, true],
    ["retries what has waited for an hour", { ...late, state: "retrying", waiting: 5, lagSeconds: 3600 }, false],
    [
      "retries what has come just now after an idle hour",
      { ...late, state: "retrying", waiting: 5, lagSeconds: 9 },
      true,
    ],
    ["delivers a backlog of an hour", { state: "delivering", waiting: 5, lagSeconds: 3600 }, true],
    ["waits by its own interval", { ...late, state: "idle", waiting: 5, lagSeconds: 300 }, true],
    [
      "hangs in its first delivery",
      { lastSuccess: undefined, state: "delivering", waiting: 1, lagSeconds: 999 },
      false,
    ],
    ["is paused", { ...late, state: "paused", waiting: 1, lagSeconds: 3600 }, false],
    ["retries while a full journal has let its backlog go", { ...late, state: "retrying" }, false],
    ["is paused before the removal of a group", { ...late, state: "paused" }, false],
  ];
  for (const [what, sink, ready] of cases) {
    it(`calls a sink that ${what} ${ready ? "ready" : "not ready"}`, () => {
      assert.equal(of({}, sink).length, ready ? 0 : 1);
    });
  }

  it("gives a sink the patience of the slowest source", () => {
    const sink = { lastSuccess: now - 400_000, state: "retrying", waiting: 1, lagSeconds: 400 } as const;
    assert.equal(of({ intervalMs: 60_000 }, sink).length, 1);
    assert.equal(of({ intervalMs: 600_000 }, sink).length, 0);
  });
});
