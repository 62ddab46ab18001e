import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { classify } from "../../src/delivery/classify.ts";

const now = () => Date.UTC(2026, 0, 1);

describe("classify()", () => {
  const table: readonly (readonly [status: number, kind: string])[] = [
    [200, "delivered"],
    [201, "delivered"],
    [204, "delivered"],
    [301, "rejected"],
    [307, "rejected"],
    [400, "split"],
    [401, "paused"],
    [403, "paused"],
    [404, "paused"],
    [405, "rejected"],
    [408, "retry"],
    [413, "split"],
    [415, "rejected"],
    [422, "split"],
    [425, "retry"],
    [429, "retry"],
    [500, "retry"],
    [501, "rejected"],
    [502, "retry"],
    [503, "retry"],
    [504, "retry"],
    [505, "retry"],
  ];
  for (const [status, kind] of table) {
    it(`reads ${status} as ${kind}`, async () => {
      const body = [204, 301, 307].includes(status) ? null : "words";
      assert.equal((await classify(new Response(body, { status }), { now })).kind, kind);
    });
  }

  const waits: readonly (readonly [header: string, afterMs: number | undefined])[] = [
    ["7", 7000],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["999999", 3_600_000],
    ["soon", undefined],
    ["-5", undefined],
    ["2.5", undefined],
  ];
  for (const [header, afterMs] of waits) {
    it(`reads Retry-After "${header}" as ${afterMs} ms`, async () => {
      const outcome = await classify(new Response("", { status: 429, headers: { "retry-after": header } }), { now });
      assert.deepEqual(outcome.kind === "retry" ? outcome.afterMs : "no retry", afterMs);
    });
  }

  it("keeps the receiver's words on one line of at most 300 characters", async () => {
    const outcome = await classify(new Response(`too\nbad ${"x".repeat(1000)}`, { status: 400 }), { now });
    assert.ok(outcome.kind === "split");
    assert.match(outcome.reason, /^400: the receiver says "too bad x+…"$/);
    assert.ok(outcome.reason.length < 340);
  });

  it("keeps no control characters of the receiver's words", async () => {
    const outcome = await classify(new Response("\u001b[31mred\u0007\u009b1m", { status: 400 }), { now });
    assert.ok(outcome.kind === "split");
    assert.equal(outcome.reason, '400: the receiver says "[31mred 1m"');
  });

  it("makes an outcome of any answer: one line of words, and a wait of an hour at most", async () => {
    const text = fc.string({ unit: "binary", maxLength: 600 });
    // What HTTP lets a header hold.
    const header = fc.string({ unit: fc.constantFrom(..."aZ09:/?#@%[].,;- ÿ"), maxLength: 80 });
    const waits = fc.oneof(header, fc.integer().map(String), fc.date().map(String));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 200, max: 599 }),
        text,
        header,
        waits,
        async (status, body, location, wait) => {
          const headers = { location, "retry-after": wait };
          const mayHaveBody = ![204, 205, 304].includes(status);
          const outcome = await classify(new Response(mayHaveBody ? body : null, { status, headers }), { now });
          if (outcome.kind === "delivered") return;
          assert.match(outcome.reason, /^\d{3}\P{Cc}{0,500}$/u);
          const { afterMs = 0 } = { afterMs: undefined, ...outcome };
          assert.ok(afterMs >= 0 && afterMs <= 3_600_000, `${afterMs}`);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("lets a sink say what a status means to its receiver", async () => {
    const outcome = await classify(new Response("", { status: 400 }), { now, statuses: { 400: "rejected" } });
    assert.equal(outcome.kind, "rejected");
  });
});
