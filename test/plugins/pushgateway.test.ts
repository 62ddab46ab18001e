import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { secret } from "mlmon";
import { pushgateway } from "../../plugins/pushgateway.ts";
import type { Batch } from "../../src/model/batch.ts";
import { createView } from "../../src/view/create-view.ts";
import { bed } from "../beds/bed.ts";
import type { Started } from "../beds/process.ts";
import { startPushgateway } from "../beds/servers.ts";
import { parsePage } from "../prometheus/parse.ts";
import { makeBatch, makeRun, makeSample, now } from "../view/make.ts";
import { httpSink, send } from "./make-sink.ts";

const servers = await bed("servers");
const endpoint = "http://gateway:9091";

describe("pushgateway()", () => {
  it("puts the whole group under the job, with HELP and TYPE and no timestamp", () => {
    const [request] = httpSink(pushgateway({ endpoint })).render(batchOf(["loss"]));
    assert.equal(request?.method, "PUT");
    assert.equal(request?.url, "http://gateway:9091/metrics/job/mlflow_metrics");
    assert.deepEqual(request?.headers, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    const lines = parsePage(bodyText(request?.body));
    assert.ok(lines.some(({ name, value }) => name === "mlflow_loss" && value === "0.5"));
  });

  it("deletes a group that has emptied", () => {
    const sink = httpSink(pushgateway({ endpoint, groupBy: "experiment" }));
    assert.deepEqual(sink.render({ ...makeBatch({}), group: "vision" }), [
      { method: "DELETE", url: "http://gateway:9091/metrics/job/mlflow_metrics/experiment_name/vision", headers: {} },
    ]);
  });

  const paths = [
    ["vision", "experiment_name/vision"],
    ["a b+ü?#%", "experiment_name/a%20b%2B%C3%BC%3F%23%25"],
    ["team/vision", "experiment_name@base64/dGVhbS92aXNpb24"],
    ["..", "experiment_name@base64/Li4"],
    [".", "experiment_name@base64/Lg"],
  ] as const;
  for (const [group, path] of paths) {
    it(`puts the group "${group}" at ${path}`, () => {
      const sink = httpSink(pushgateway({ endpoint, groupBy: "experiment" }));
      const [request] = sink.render({ ...batchOf(["loss"]), group });
      assert.equal(request?.url, `http://gateway:9091/metrics/job/mlflow_metrics/${path}`);
      assert.equal(new URL(request.url).href, request.url);
    });
  }

  const endpoints = [
    ["localhost:9091", "http://localhost:9091"],
    ["gateway", "http://gateway"],
    ["https://gateway/base/", "https://gateway/base"],
  ] as const;
  for (const [given, wanted] of endpoints) {
    it(`takes "${given}" as ${wanted}`, () => {
      const [request] = httpSink(pushgateway({ endpoint: given })).render(batchOf(["loss"]));
      assert.equal(request?.url, `${wanted}/metrics/job/mlflow_metrics`);
    });
  }

  it("is sent again what has not changed, as a gateway that was restarted holds nothing", () => {
    assert.equal(httpSink(pushgateway({ endpoint: "localhost" })).refreshMs, 300_000);
  });

  it("refuses options that cannot be meant", () => {
    assert.throws(() => httpSink(pushgateway({ endpoint: "ftp://gateway" })), /an http:\/\/ or https:\/\/ address/);
    assert.throws(() => httpSink(pushgateway({ endpoint: "" })), /an http:\/\/ or https:\/\/ address/);
    assert.throws(() => httpSink(pushgateway({ endpoint, username: "ada" })), /username and password go together/);
    assert.throws(
      () => httpSink(pushgateway({ endpoint, username: "ada", password: "x", token: "y" })),
      /either username or token/,
    );
  });

  it("shows no password and no token", () => {
    const login = pushgateway({ endpoint, username: "ada", password: secret.literal("password", "hunter22") });
    const token = pushgateway({ endpoint, token: "hunter22" });
    for (const entry of [login, token]) {
      const requests = httpSink(entry).render(batchOf(["loss"]));
      assert.doesNotMatch(JSON.stringify(requests), /hunter22/);
      assert.match(JSON.stringify(requests), /"authorization":"(Basic|Bearer) <secret (password|token)>"/);
    }
  });

  const answers = [
    [200, "delivered"],
    [202, "delivered"],
    [301, "rejected"],
    [400, "rejected"],
    [401, "paused"],
    [403, "paused"],
    [404, "paused"],
    [408, "retry"],
    [413, "paused"],
    [415, "rejected"],
    [422, "rejected"],
    [425, "retry"],
    [429, "retry"],
    [500, "retry"],
    [501, "rejected"],
    [503, "retry"],
  ] as const;
  for (const [status, kind] of answers) {
    it(`takes ${status} for ${kind}`, async () => {
      const outcome = await httpSink(pushgateway({ endpoint })).classify?.(new Response("words", { status }));
      assert.equal(outcome?.kind, kind);
    });
  }
});

describe("a real Pushgateway", { skip: servers.skip }, () => {
  let server: Started;
  before(
    async () => {
      server = await startPushgateway();
    },
    { timeout: 60_000 },
  );
  after(() => server.stop());

  it("holds what was pushed, and nothing of it after the group has emptied", async () => {
    const sink = httpSink(pushgateway({ endpoint: server.url, job: "round/trip" }));
    await push(batchOf(["loss", "acc"]));
    assert.deepEqual(await held("round/trip"), ["mlflow_acc", "mlflow_loss"]);
    await push(batchOf(["loss"]));
    assert.deepEqual(await held("round/trip"), ["mlflow_loss"]);
    await push(makeBatch({}));
    assert.deepEqual(await held("round/trip"), []);

    async function push(batch: Batch): Promise<void> {
      for (const request of sink.render(batch)) assert.deepEqual(await send(sink, request), { kind: "delivered" });
    }
  });

  it("takes every awkward name and value as it is", async () => {
    const sink = httpSink(pushgateway({ endpoint: server.url, job: "awkward", groupBy: "experiment" }));
    const names = [
      "a/b",
      "..",
      'quote"back\\slash',
      "line\nend\rreturn",
      "nul\u0000",
      "lone\ud800",
      "漢字 😀",
      "tab\t",
    ];
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 0.1 + 0.2];
    const view = createView({ max: 1000, retentionMs: 1e10 });
    for (const [index, name] of names.entries()) {
      const run = makeRun(`${index}`, { experiment: { id: String(index), name }, name, user: name });
      const samples = values.map((value, step) =>
        makeSample(run, `${step}`, value, { labels: { [name]: name, job: "x" } }),
      );
      view.apply(makeBatch({ samples }));
    }
    const groups = view.versions(sink.groupBy);
    assert.equal(groups.size, names.length);
    for (const name of groups.keys()) {
      const group = sink.groupBy && { name, groupBy: sink.groupBy };
      for (const request of sink.render(view.latest(now, group))) {
        assert.deepEqual(await send(sink, request), { kind: "delivered" }, JSON.stringify(name));
      }
    }
    const page = parseGateway(await (await fetch(`${server.url}/metrics`)).text()).filter(
      ({ job }) => job === "awkward",
    );
    const clean = names.map((name) => name.toWellFormed().replace("\u0000", "\uFFFD"));
    assert.deepEqual([...new Set(page.map(({ experiment_name }) => experiment_name))].sort(), clean.toSorted());
    const first = page
      .filter(({ run_id }) => run_id === "00000000")
      .filter(({ name }) => /^mlflow_\d$/.test(name ?? ""));
    assert.deepEqual(
      first.map(({ value }) => value),
      ["NaN", "+Inf", "-Inf", "5e-324", "0.30000000000000004"],
    );
  });

  it("keeps one type a name across groups and with another pusher's", async () => {
    const view = createView({ max: 1000, retentionMs: 1e10 });
    view.apply(
      makeBatch({ samples: [makeSample(makeRun("a"), "val.loss", 1), makeSample(makeRun("a"), "val/loss", 2)] }),
    );
    for (const job of ["one", "two"]) {
      const sink = httpSink(pushgateway({ endpoint: server.url, job }));
      for (const request of sink.render(view.latest(now))) {
        assert.deepEqual(await send(sink, request), { kind: "delivered" });
      }
    }
  });

  it("answers the check", async () => {
    const sink = httpSink(pushgateway({ endpoint: server.url }));
    const request = sink.check?.();
    assert.ok(request);
    assert.deepEqual(await send(sink, request), { kind: "delivered" });
  });

  async function held(job: string): Promise<string[]> {
    const page = parseGateway(await (await fetch(`${server.url}/metrics`)).text());
    const names = page.filter((line) => line.job === job).map(({ name }) => name ?? "");
    return names.filter((name) => /^mlflow_(?!run_)/.test(name)).sort();
  }
});

/** Reads the gateway's own page, of which only the gauges that were pushed matter. */
function parseGateway(page: string): Readonly<Record<string, string>>[] {
  const pushed = page.match(/# HELP mlflow_(?:[^\n]*\n)*?(?=# HELP (?!mlflow_))/)?.[0] ?? "";
  return parsePage(pushed).map(({ name, value, labels }) => ({ ...labels, name, value }));
}

function batchOf(keys: readonly string[]): Batch {
  const view = createView({ max: 1000, retentionMs: 1e10 });
  view.apply(makeBatch({ samples: keys.map((key) => makeSample(makeRun("a"), key, 0.5)) }));
  return view.latest(now);
}

function bodyText(body: string | Uint8Array | undefined): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}
