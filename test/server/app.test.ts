import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { Hono, type MiddlewareHandler } from "hono";
import { silentLog } from "../../src/model/log.ts";
import { Secret, secret } from "../../src/model/secret.ts";
import { type AppOptions, createApp } from "../../src/server/app.tsx";
import { makeSink, makeSource, makeStatus, now } from "./make-status.ts";

const paths = ["/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/status"] as const;

function makeApp(change: Partial<AppOptions> = {}) {
  return createApp({
    status: () => makeStatus(),
    token: undefined,
    host: "127.0.0.1",
    ownMetrics: async () => "mlmon_build_info 1\n",
    routes: [],
    log: silentLog,
    ...change,
  });
}

const unwell = {
  status: () => makeStatus({ notReady: ['sink "a": no success for 90 s', 'source "b": no success yet'] }),
};

describe("the probes", () => {
  it("call the process healthy, however MLflow and the sinks do", async () => {
    const answer = await makeApp(unwell).request("/-/healthy");
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain/);
    assert.equal(await answer.text(), "healthy\n");
  });

  it("say what is not ready with 503, as text for people", async () => {
    assert.equal((await makeApp().request("/-/ready")).status, 200);
    const answer = await makeApp(unwell).request("/-/ready", { headers: { accept: "*/*" } });
    assert.equal(answer.status, 503);
    assert.equal(await answer.text(), 'not ready\nsink "a": no success for 90 s\nsource "b": no success yet\n');
  });

  it("say what will bite, ready or not", async () => {
    const warnings = ["The journal is 84 % full"];
    const status = () => makeStatus({ warnings });
    const answer = await makeApp({ status }).request("/-/ready");
    assert.deepEqual([answer.status, await answer.text()], [200, "ready\nwarning: The journal is 84 % full\n"]);
    const json = await makeApp({ status }).request("/-/ready", { headers: { accept: "application/json" } });
    assert.deepEqual(await json.json(), { ready: true, notReady: [], warnings });
    assert.match(await (await makeApp({ status }).request("/")).text(), /The journal is 84 % full/);
  });

  it("give those without the token names and times alone, and no words of a receiver", async () => {
    const brief = { notReady: ['sink "a": no success for 90 s'], warnings: ["gone"] };
    const words = { notReady: ['sink "a": no success for 90 s (401: no user bob)'], warnings: ['gone: "/home/bob"'] };
    const app = makeApp({
      status: () => makeStatus({ ...words, brief }),
      token: secret.literal("token", "correct horse"),
      key: secret.literal("key", "of this run"),
    });
    const ask = async (headers: Record<string, string>) => (await app.request("/-/ready", { headers })).text();
    const accept = "application/json";
    const whole = `not ready\n${words.notReady}\nwarning: ${words.warnings}\n`;
    assert.equal(await ask({}), 'not ready\nsink "a": no success for 90 s\nwarning: gone\n');
    assert.equal(await ask({ authorization: "Bearer wrong" }), await ask({}));
    assert.deepEqual(JSON.parse(await ask({ accept })), { ready: false, ...brief });
    assert.equal(await ask({ authorization: "Bearer correct horse" }), whole);
    assert.equal(await ask({ authorization: "Bearer of this run" }), whole);
    const answer = await app.request("/api/v1/status", { headers: { authorization: "Bearer correct horse" } });
    assert.equal("brief" in JSON.parse(await answer.text()), false);
  });

  it("say the same as JSON to those who ask for it", async () => {
    const headers = { accept: "application/json" };
    const ready = await makeApp().request("/-/ready", { headers });
    assert.deepEqual([ready.status, await ready.json()], [200, { ready: true, notReady: [], warnings: [] }]);
    const answer = await makeApp(unwell).request("/-/ready", { headers });
    assert.equal(answer.status, 503);
    assert.deepEqual(await answer.json(), { ready: false, notReady: unwell.status().notReady, warnings: [] });
  });
});

describe("/api/v1/status", () => {
  it("gives everything as JSON, with the refused series and the dead letters", async () => {
    const view = { series: 1, runs: 1, max: 1, refused: new Map([["loss", 3]]) };
    const sinks = [makeSink({ deadLetters: { http_400: 2 } })];
    const answer = await makeApp({ status: () => makeStatus({ view, sinks }) }).request("/api/v1/status");
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
    const status = await answer.json();
    assert.equal(status.now, now);
    assert.deepEqual(status.view.refused, { loss: 3 });
    assert.deepEqual(status.sinks[0].deadLetters, { http_400: 2 });
  });
});

describe("/metrics", () => {
  it("is mlmon's own series when no sink serves that page", async () => {
    const answer = await makeApp().request("/metrics");
    assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(await answer.text(), "mlmon_build_info 1\n");
  });

  it("is the sink's when one serves it", async () => {
    const app = makeApp({ routes: [new Hono().get("/metrics", (c) => c.text("of the sink"))] });
    assert.equal(await (await app.request("/metrics")).text(), "of the sink");
  });

  it("of a second sink at the same path, or at one of mlmon's own, is said to be hidden", () => {
    const warned: unknown[] = [];
    const log = { ...silentLog, warn: (message: string, fields?: object) => warned.push([message, fields]) };
    const page = (path: string) => new Hono().get(path, noStore, (c) => c.text("page"));
    const noStore: MiddlewareHandler = async (c, next) => {
      c.header("cache-control", "no-store");
      await next();
    };
    makeApp({ log, routes: [page("/metrics")] });
    assert.deepEqual(warned, []);
    makeApp({ log, routes: ["/metrics", "/metrics", "/"].map(page) });
    const message = "A sink's page is hidden by another one at its path: give it another";
    assert.deepEqual(warned, [
      [message, { path: "/metrics" }],
      [message, { path: "/" }],
    ]);
  });
});

describe("the page", () => {
  const page = async (change: Parameters<typeof makeStatus>[0] = {}) =>
    (await makeApp({ status: () => makeStatus(change) }).request("/")).text();

  it("shows sources, sinks, capacity and the ledger, and reloads itself without a script", async () => {
    const html = await page({ sinks: [makeSink({ deadLetters: { http_400: 2, rejected: 1 } })] });
    assert.match(html, /^<!doctype html>/);
    assert.match(html, /<meta http-equiv="refresh" content="10"/);
    for (const text of ["mlflow", "pramathus", "12\u202f000", "1.4 MiB of 1.0 GiB", "Capacity", "filtered"])
      assert.ok(html.includes(text), text);
    assert.match(html, /Dead letters<\/dt><dd><span class="bad">3</);
    assert.doesNotMatch(html, /<script|https?:\/\//);
  });

  it("shows where a source reads and what there is, and where a sink sends", async () => {
    const html = await page({
      sources: [makeSource({ place: "http://mlflow:5000/root", runs: 1234 })],
      sinks: [makeSink({ place: "https://pramathus.example.com" })],
    });
    assert.match(html, /<p class="soft">From http:\/\/mlflow:5000\/root</);
    assert.match(html, /<dt>Experiments<\/dt><dd>3<.*<dt>Runs<\/dt><dd>1\u202f234</);
    assert.match(html, /<p class="soft">To https:\/\/pramathus\.example\.com</);
  });

  it("says of a scraped sink only that the page is there", async () => {
    const html = await page({ sinks: [makeSink({ id: "prometheus", pulled: true })] });
    assert.match(html, /<dt>Page updated<\/dt><dd>4 s ago<\/dd>.*<dt>Exposed<\/dt><dd>12/);
    assert.doesNotMatch(html, /Delivered/);
  });

  it("is green only where all is well, else names what is not, ready or not", async () => {
    const banner = async (change: Parameters<typeof makeStatus>[0]) =>
      /<(?:p|div) class="banner (.*?)<\/(?:p|div)>/.exec(await page(change))?.[1] ?? "";
    assert.match(await banner({}), /^good">Ready/);
    const unwell = await banner({
      sources: [makeSource({ state: "failing" })],
      sinks: [
        makeSink({ id: "a", state: "paused" }),
        makeSink({ id: "b", state: "retrying", deadLetters: { http_400: 1200, http_422: 34 } }),
        makeSink({ id: "c" }),
      ],
    });
    assert.match(unwell, /^warn">/);
    assert.deepEqual(
      [...unwell.replaceAll("&quot;", '"').matchAll(/<li>(.*?)<\/li>/g)].map(([, text]) => text),
      [
        'The source "mlflow" is failing',
        'The sink "a" is paused',
        'The sink "b" is retrying',
        'The sink "b" keeps 1\u202f234 dead letters: see mlmon queue',
      ],
    );
    assert.match(await banner({ notReady: ["x"], sinks: [makeSink({ state: "paused" })] }), /^bad">/);
  });

  it("gives every number its unit, times in the largest that divides them", async () => {
    const every = async (intervalMs: number) =>
      /<dt>Interval<\/dt><dd>([^<]*)</.exec(await page({ sources: [makeSource({ intervalMs })] }))?.[1];
    const intervals = [250, 2000, 60_000, 90_000, 7_200_000, 86_400_000];
    const shown = ["250 ms", "2 s", "1 min", "90 s", "2 h", "1 d"];
    assert.deepEqual(await Promise.all(intervals.map(every)), shown);
    const html = await page({ sinks: [makeSink({ waiting: 1234, delivered: 1 })] });
    assert.match(html, /<dt>Delivered<\/dt><dd>1 sample</);
    assert.match(html, /<dt>Waiting<\/dt><dd>1\u202f234 samples</);
  });

  it("lists the ledger as samples flow", async () => {
    const html = await page({ ledger: makeStatus().ledger.toReversed() });
    const parts = [...html.matchAll(/<span class="soft">(source|transform|sink)<\/span>/g)].map(([, scope]) => scope);
    assert.deepEqual(parts, ["source", "transform", "sink"]);
  });

  it("says what is not ready, in the title too", async () => {
    const html = await page({ notReady: ['source "mlflow": no success for 90 s'] });
    assert.match(html, /<title>mlmon: not ready</);
    assert.match(html, /source &quot;mlflow&quot;: no success for 90 s/);
  });

  it("escapes what comes from outside", async () => {
    const reason = `<img src=x onerror=alert(1)> "' &`;
    const html = await page({ sources: [makeSource({ lastError: { time: now, reason } })] });
    assert.ok(html.includes("&lt;img src=x onerror=alert(1)&gt;"));
    assert.ok(!html.includes("<img"));
  });

  it("marks an error as over when a success came after it", async () => {
    const lastError = { time: now - 60_000, reason: "503" };
    assert.match(await page({ sinks: [makeSink({ lastError })] }), /<p class="reason soft">Last error, 60 s ago: 503</);
    const failing = makeSink({ lastError, lastSuccess: now - 70_000 });
    assert.match(await page({ sinks: [failing] }), /<p class="reason bad">Last error/);
  });

  it("allows its own style sheet and nothing else", async () => {
    const answer = await makeApp().request("/");
    const style = /<style>([\s\S]*)<\/style>/.exec(await answer.text())?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    assert.equal(
      answer.headers.get("content-security-policy"),
      `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'; base-uri 'none'`,
    );
  });
});

describe("every answer", () => {
  const token = secret.literal("token", "correct horse");

  it("carries the security headers, refusals and failures too", async () => {
    const broken = makeApp({
      status: () => {
        throw new Error("broken");
      },
    });
    const answers = [
      ...(await Promise.all(paths.map((path) => makeApp().request(path)))),
      await makeApp().request("/nowhere"),
      await makeApp({ token }).request("/"),
      await makeApp().request("/", { headers: { host: "evil.example" } }),
      await broken.request("/"),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200, 404, 401, 403, 500],
    );
    for (const { headers } of answers) {
      assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("x-frame-options"), "DENY");
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(headers.get("cache-control"), "no-store");
    }
  });

  it("to a failure says nothing of the inside, which goes to the log", async () => {
    const lines: unknown[] = [];
    const app = makeApp({
      status: () => {
        throw new Error("disk I/O error in /var/lib/mlmon");
      },
      log: { ...silentLog, error: (message, fields) => void lines.push([message, fields]) },
    });
    const answer = await app.request("/api/v1/status");
    assert.equal(await answer.text(), "Internal Server Error: the reason is in the log of mlmon\n");
    assert.deepEqual(lines, [
      ["The status server could not answer", { path: "/api/v1/status", reason: "disk I/O error in /var/lib/mlmon" }],
    ]);
  });

  it("to HEAD is that of GET without a body, and other methods are refused", async () => {
    for (const path of paths) {
      const head = await makeApp().request(path, { method: "HEAD" });
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      const post = await makeApp().request(path, { method: "POST", body: "x".repeat(1_000_000) });
      assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
    }
  });

  it("of an unknown path names those that are there", async () => {
    const answer = await makeApp().request("/api/v2");
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /\/metrics .*\/api\/v1\/status/);
  });
});

describe("the token", () => {
  const app = makeApp({ token: secret.literal("token", "correct: hörse"), host: "0.0.0.0" });
  const basic = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;
  const ask = async (path: string, authorization?: string) =>
    (await app.request(path, authorization === undefined ? {} : { headers: { authorization } })).status;

  it("is asked for on every path but the probes", async () => {
    assert.deepEqual(await Promise.all(paths.map((path) => ask(path))), [401, 401, 200, 200, 401]);
    assert.equal(await ask("/nowhere"), 401);
    assert.equal(await ask("/-/ready/"), 401);
    assert.equal(await ask("/-/healthy/../metrics"), 401);
  });

  it("is taken as Bearer, and as the password of any user", async () => {
    const plain = makeApp({ token: secret.literal("token", "correct-horse") });
    const bearer = await plain.request("/", { headers: { authorization: "bearer correct-horse" } });
    assert.equal(bearer.status, 200);
    assert.equal(await ask("/", basic("anyone:correct: hörse")), 200);
    assert.equal(await ask("/", basic(":correct: hörse")), 200);
  });

  it("is refused when it is wrong in any way", async () => {
    const wrong = [
      "Bearer",
      "Bearer ",
      "Bearer correct",
      "Bearer correct: horse",
      "correct: horse",
      "Basic",
      "Basic !",
    ];
    for (const header of [...wrong, basic("correct: hörse"), basic("correct: hörse:"), "Digest x"]) {
      assert.equal(await ask("/", header), 401, header);
    }
  });

  it("lets a browser ask for a login, and never shows itself", async () => {
    const answer = await app.request("/");
    assert.equal(answer.headers.get("www-authenticate"), 'Basic realm="mlmon"');
    assert.doesNotMatch(await answer.text(), /hörse/);
  });

  it("that is not set any more closes the server instead of opening it", async () => {
    const gone = makeApp({
      token: new Secret("GONE", () => {
        throw new Error("not set");
      }),
    });
    assert.equal((await gone.request("/", { headers: { authorization: "Bearer x" } })).status, 500);
    assert.equal((await gone.request("/-/healthy")).status, 200);
  });
});

describe("the Host header", () => {
  const ask = async (host: string, listen = "127.0.0.1") =>
    (await makeApp({ host: listen }).request("/-/healthy", { headers: { host } })).status;

  it("on loopback must be a name of this machine, with any port", async () => {
    for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:9890", "127.0.0.1", "[::1]:9890", "[::1]"]) {
      assert.equal(await ask(host), 200, host);
    }
    for (const host of ["evil.example", "evil.example:9890", "localhost.evil.example", "127.0.0.1.evil.example", ""]) {
      assert.equal(await ask(host), 403, host);
    }
  });

  it("is anyone's when the server listens to the network", async () => {
    assert.equal(await ask("mlmon.example", "0.0.0.0"), 200);
  });
});
