import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { silentLog } from "../../src/model/log.ts";
import { secret } from "../../src/model/secret.ts";
import { type AppOptions, createApp } from "../../src/server/app.tsx";
import { makeSink, makeSource, makeStatus, now } from "./make-status.ts";

const base: AppOptions = {
  status: () => makeStatus(),
  token: undefined,
  host: "127.0.0.1",
  ownMetrics: async () => "mlmon_build_info 1\n",
  routes: [],
  log: silentLog,
};
const open = createApp(base);
const closed = createApp({ ...base, token: secret.literal("token", "correct horse battery") });

const known = fc.constantFrom(
  "",
  "-",
  "-/ready",
  "-/healthy",
  "metrics",
  "api",
  "v1",
  "status",
  "..",
  "%2e%2e",
  "%",
  "%00",
);
const path = fc
  .array(fc.oneof(known, fc.string({ unit: "binary" }), fc.webPath()))
  .map((parts) => `/${parts.join("/")}`);
/** What an HTTP server lets through to the application. */
const headerText = fc.string({ unit: fc.constantFrom(..."aZ09:;,=/+-. \t@[]()<>\"'%ÿ") });
const headers = fc.record(
  {
    host: fc.oneof(headerText, fc.webAuthority({ withPort: true, withIPv4: true, withIPv6: true })),
    authorization: fc.oneof(
      headerText,
      headerText.map((text) => `Basic ${text}`),
      headerText.map((text) => `Bearer ${text}`),
    ),
    accept: headerText,
    "accept-encoding": headerText,
  },
  { requiredKeys: [] },
);
const method = fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY");

function request(path: string, init: RequestInit): Request {
  const url = new URL("http://127.0.0.1:9890");
  url.pathname = path;
  return new Request(url, init);
}

describe("the status server", () => {
  it("answers any path, method and header, never with 500 and always with its headers", async () => {
    await fc.assert(
      fc.asyncProperty(path, method, headers, async (path, method, headers) => {
        const answer = await open.fetch(request(path, { method, headers }));
        assert.ok([200, 403, 404, 405].includes(answer.status), `${answer.status}`);
        assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
      }),
      { numRuns: 500 },
    );
  });

  it("lets nobody in without the token, whatever the path and the credentials", async () => {
    await fc.assert(
      fc.asyncProperty(path, headers, async (path, { host: _, ...headers }) => {
        const answer = await closed.fetch(request(path, { headers }));
        if (answer.status !== 401) assert.match(await answer.text(), /^(healthy|ready)\n$/);
      }),
      { numRuns: 500 },
    );
  });

  it("writes a page without a tag that a name, a reason or a file has brought along", async () => {
    const usual = tags(await pageOf("plain"));
    const hostile = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.constantFrom("<script>alert(1)</script>", "</style><img src=x>", '"><svg onload=x>', "&lt;b&gt;", "</title>"),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => assert.deepEqual(tags(await pageOf(text)), usual)),
      { numRuns: 200 },
    );
  });
});

/** The status page with one text wherever one from outside may stand. */
async function pageOf(text: string): Promise<string> {
  const part = { id: text, type: `${text}.`, lastError: { time: now, reason: text } };
  const status = makeStatus({
    config: text,
    version: text,
    notReady: [text],
    sources: [makeSource(part)],
    sinks: [makeSink(part)],
    view: { series: 1, runs: 1, max: 1, refused: new Map([[text, 1]]) },
    ledger: [{ scope: "sink", id: text, name: "refused", reason: text, count: 1 }],
  });
  return (await createApp({ ...base, status: () => status }).request("/")).text();
}

/** The names of all tags in order. */
function tags(page: string): readonly string[] {
  return [...page.matchAll(/<[a-zA-Z!/][^\s>]*/g)].map(([tag]) => tag);
}
