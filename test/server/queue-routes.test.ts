import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DeadFilter } from "../../src/journal/dead-queue.ts";
import { UsageError, WorkError } from "../../src/model/errors.ts";
import { silentLog } from "../../src/model/log.ts";
import { secret } from "../../src/model/secret.ts";
import { type AppOptions, createApp } from "../../src/server/app.tsx";
import { makeStatus } from "./make-status.ts";

const report = { startedAt: 1, journalBytes: 0, sinks: [] };

/** A server with a queue that writes down what it is asked to change. */
function makeApp(change: Partial<AppOptions> = {}, failure?: Error) {
  const asked: (readonly [string, DeadFilter])[] = [];
  const app = createApp({
    status: () => makeStatus(),
    token: undefined,
    host: "127.0.0.1",
    key: secret.literal("control key", "key of the folder"),
    ownMetrics: async () => "",
    routes: [],
    queue: {
      report: () => report,
      async change(kind, filter) {
        if (failure) throw failure;
        asked.push([kind, filter]);
        return [{ sink: "a", reason: "http_400", letters: 1, samples: 2, bytes: 3 }];
      },
    },
    log: silentLog,
    ...change,
  });
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    app.request(path, { method: "POST", body, headers });
  return { app, post, asked };
}

const drop = "/api/v1/queue/drop";

describe("/api/v1/queue", () => {
  it("shows the queue and changes what the filter names", async () => {
    const { app, post, asked } = makeApp();
    assert.deepEqual(await (await app.request("/api/v1/queue")).json(), report);
    const answer = await post(drop, '{"sink":"a","before":5}');
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), {
      changed: [{ sink: "a", reason: "http_400", letters: 1, samples: 2, bytes: 3 }],
    });
    await post("/api/v1/queue/replay", "{}");
    assert.deepEqual(asked, [
      ["drop", { sink: "a", before: 5 }],
      ["replay", {}],
    ]);
  });

  for (const body of [
    "",
    "null",
    "[]",
    '"all"',
    '{"sinks":"a"}',
    '{"sink":""}',
    '{"since":"1h"}',
    '{"before":null}',
    "{",
  ]) {
    it(`takes ${body || "an empty body"} for a mistake, not for "all"`, async () => {
      const { post, asked } = makeApp();
      assert.equal((await post(drop, body)).status, 400);
      assert.deepEqual(asked, []);
    });
  }

  it("refuses a body without end, other methods, and a page of another site", async () => {
    const { app, post, asked } = makeApp();
    assert.equal((await post(drop, "x".repeat(1_000_000))).status, 413);
    assert.equal((await app.request(drop)).status, 405);
    assert.equal((await app.request("/api/v1/queue", { method: "POST" })).status, 405);
    assert.equal((await post(drop, "{}", { origin: "https://evil.example" })).status, 403);
    assert.equal((await post(drop, "{}", { "sec-fetch-site": "cross-site" })).status, 403);
    assert.deepEqual(asked, []);
  });

  it("takes the token and the key of the state folder, and nothing else", async () => {
    const { post, asked } = makeApp({ token: secret.literal("token", "the token"), host: "0.0.0.0" });
    const bearer = (authorization: string) => post(drop, "{}", { authorization });
    assert.equal((await post(drop, "{}")).status, 401);
    assert.equal((await bearer("Bearer wrong")).status, 401);
    assert.deepEqual(asked, []);
    assert.equal((await bearer("Bearer the token")).status, 200);
    assert.equal((await bearer("Bearer key of the folder")).status, 200);
  });

  it("is changed from the network only with the key where no token is set", async () => {
    const { post, asked } = makeApp({ host: "0.0.0.0" });
    assert.equal((await post(drop, "{}")).status, 403);
    assert.deepEqual(asked, []);
    assert.equal((await post(drop, "{}", { authorization: "Bearer key of the folder" })).status, 200);
  });

  it("says why a change cannot be", async () => {
    const unknown = await makeApp({}, new UsageError("Cannot find the sink")).post(drop, "{}");
    assert.deepEqual([unknown.status, await unknown.text()], [400, "Cannot find the sink\n"]);
    const full = await makeApp({}, new WorkError("its disk is full")).post(drop, "{}");
    assert.deepEqual([full.status, await full.text()], [503, "its disk is full\n"]);
  });
});
