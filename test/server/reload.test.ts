import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLog } from "../../src/model/log.ts";
import { secret } from "../../src/model/secret.ts";
import { type AppOptions, createApp } from "../../src/server/app.tsx";
import { makeStatus } from "./make-status.ts";

function makeApp(change: Partial<AppOptions> = {}) {
  let reloads = 0;
  const app = createApp({
    status: () => makeStatus(),
    token: undefined,
    host: "127.0.0.1",
    ownMetrics: async () => "",
    routes: [],
    log: silentLog,
    async reload() {
      reloads += 1;
      return { status: 200, text: "changes: none" };
    },
    ...change,
  });
  async function ask(headers: Readonly<Record<string, string>>, method = "POST", path = "/-/reload") {
    const before = reloads;
    const { status } = await app.request(path, { method, headers: { host: "127.0.0.1:9890", ...headers } });
    return { status, reloads: reloads - before };
  }
  return { app, ask };
}

const done = { status: 200, reloads: 1 };
const forbidden = { status: 403, reloads: 0 };

describe("POST /-/reload", () => {
  it("reloads for a program on this machine and for mlmon's own page", async () => {
    const { ask } = makeApp();
    assert.deepEqual(await ask({}), done);
    const own = { origin: "http://127.0.0.1:9890", "sec-fetch-site": "same-origin" };
    assert.deepEqual(await ask(own), done);
  });

  it("does nothing for a page of another site, also one that the browser would give the password", async () => {
    const pages = [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: "http://127.0.0.1:8080" },
      { origin: "http://localhost:9890", "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site" },
      { host: "evil.example:9890", origin: "http://evil.example:9890" },
    ];
    const { ask } = makeApp();
    for (const headers of pages) assert.deepEqual(await ask({ ...headers }), forbidden, JSON.stringify(headers));
    const token = makeApp({ token: secret.literal("token", "correct"), host: "0.0.0.0" });
    const authorization = `Basic ${Buffer.from("me:correct").toString("base64")}`;
    const headers = { host: "mlmon.example", authorization };
    assert.deepEqual(await token.ask({ ...headers, origin: "http://evil.example" }), forbidden);
    assert.deepEqual(await token.ask({ ...headers, origin: "http://mlmon.example" }), done);
  });

  it("asks for the token, and is closed to the network without one", async () => {
    const { ask } = makeApp({ token: secret.literal("token", "correct") });
    assert.deepEqual(await ask({}), { status: 401, reloads: 0 });
    assert.deepEqual(await ask({ authorization: "Bearer wrong" }), { status: 401, reloads: 0 });
    assert.deepEqual(await ask({ authorization: "Bearer correct" }), done);
    assert.deepEqual(await makeApp({ host: "0.0.0.0" }).ask({ host: "mlmon.example" }), forbidden);
  });

  it("takes no other method, and no other path takes POST", async () => {
    const { app, ask } = makeApp();
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      assert.deepEqual(await ask({}, method), { status: 405, reloads: 0 }, method);
    }
    assert.equal((await app.request("/-/reload")).headers.get("allow"), "POST");
    for (const path of ["/", "/-/reload/", "/-/reload/x", "/-/ready"]) {
      assert.deepEqual(await ask({}, "POST", path), { status: 405, reloads: 0 }, path);
    }
  });

  it("is not there when nothing can be loaded again", async () => {
    assert.equal((await makeApp({ reload: undefined }).ask({})).status, 405);
  });
});
