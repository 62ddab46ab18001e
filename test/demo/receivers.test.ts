import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createPramathusReceiver } from "../../src/demo/pramathus-receiver.ts";
import { createPushgatewayReceiver } from "../../src/demo/pushgateway-receiver.ts";
import { createReceivers, demoKey } from "../../src/demo/receivers.ts";
import { type Served, serve } from "../../src/runtime/serve.ts";
import { bed } from "../beds/bed.ts";
import type { Started } from "../beds/process.ts";
import { startPushgateway } from "../beds/servers.ts";

const servers = await bed("servers");

const typed = "# HELP mlflow_a A\n# TYPE mlflow_a gauge\n";
const pushes: readonly (readonly [what: string, method: string, path: string, body?: string])[] = [
  ["a page", "PUT", "/metrics/job/j", `${typed}mlflow_a{run_id="x",b="\\"}\\\\\\n"} 0.5\nmlflow_a{run_id="y"} NaN\n`],
  ["infinities", "PUT", "/metrics/job/j", `${typed}mlflow_a{b="1"} +Inf\nmlflow_a{b="2"} -Inf\nmlflow_a 1e-3\n`],
  ["an empty page", "PUT", "/metrics/job/j", ""],
  ["a last line without its end", "PUT", "/metrics/job/j", `${typed}mlflow_a 1`],
  ["a timestamp", "PUT", "/metrics/job/j", `${typed}mlflow_a 1 1700000000000\n`],
  ["a series twice", "PUT", "/metrics/job/j", `${typed}mlflow_a{b="1",c="2"} 1\nmlflow_a{c="2",b="1"} 2\n`],
  ["no number", "PUT", "/metrics/job/j", `${typed}mlflow_a one\n`],
  ["a name with a slash", "PUT", "/metrics/job/j", "val/loss 1\n"],
  ["a broken label", "PUT", "/metrics/job/j", 'mlflow_a{b="1} 1\n'],
  ["a job in base64", "PUT", "/metrics/job@base64/YS9i", `${typed}mlflow_a 1\n`],
  ["an empty job in base64", "PUT", "/metrics/job@base64/=", `${typed}mlflow_a 1\n`],
  ["a job after a label", "PUT", "/metrics/experiment_name/e/job/j", `${typed}mlflow_a 1\n`],
  ["no job", "PUT", "/metrics/job", `${typed}mlflow_a 1\n`],
  ["a label without a value", "PUT", "/metrics/job/j/experiment_name", `${typed}mlflow_a 1\n`],
  ["an escaped slash", "PUT", "/metrics/job/j/experiment_name/a%2Fb", `${typed}mlflow_a 1\n`],
  ["a value in base64", "PUT", "/metrics/job/j/experiment_name@base64/YS9i", `${typed}mlflow_a 1\n`],
  ["another type than another group", "PUT", "/metrics/job/k", "# TYPE mlflow_a counter\nmlflow_a 1\n"],
  ["no type where another group has one", "PUT", "/metrics/job/k", "mlflow_a 1\n"],
  ["the deletion of a group", "DELETE", "/metrics/job/j/experiment_name@base64/YS9i"],
  ["the deletion of no group", "DELETE", "/metrics/job/none"],
];

describe("the demo's Pushgateway, beside a real one", { skip: servers.skip }, () => {
  let real: Started;
  let demo: Served;
  before(async () => {
    real = await startPushgateway();
    demo = await serve(createPushgatewayReceiver().app.fetch, { hostname: "127.0.0.1", port: 0 });
  });
  after(async () => {
    await demo.stop();
    await real.stop();
  });

  // One after the other: what a push meets depends on those before.
  for (const [what, method, path, body] of pushes) {
    it(`answers alike to ${what}`, async () => {
      const init = { method, ...(body !== undefined && { body }) };
      const answers = [`http://127.0.0.1:${demo.port}`, real.url].map((url) => fetch(`${url}${path}`, init));
      const [mine, theirs] = (await Promise.all(answers)).map(({ status }) => status);
      assert.equal(mine, theirs);
    });
  }
});

describe("the demo's Pushgateway", () => {
  it("holds the series of each group until it is replaced or deleted", async () => {
    const { app, groups } = createPushgatewayReceiver();
    const put = (path: string, body: string) => app.request(path, { method: "PUT", body });
    await put("/metrics/job/j", `${typed}mlflow_a{b="1"} 1\nmlflow_a{b="2"} 2\n`);
    await put("/metrics/job/j/experiment_name/e", `${typed}mlflow_a 1\n`);
    const held = () => [...groups.values()].map(({ labels, series }) => `${labels}: ${series}`);
    assert.deepEqual(held(), ['job="j": 2', 'experiment_name="e", job="j": 1']);
    await put("/metrics/job/j", `${typed}mlflow_a 1\n`);
    await app.request("/metrics/job/j/experiment_name@base64/ZQ", { method: "DELETE" });
    assert.deepEqual(held(), ['job="j": 1']);
  });
});

const metric = {
  name: "val/loss",
  value: 0.5,
  timestamp: 1,
  metadata: { run_id: "r", experiment_name: "e", step: 0, tags: { team: "vision" } },
};
const body = { timestamp: 1, source: "mlflow", metrics: [metric] };

describe("the demo's Pramathus", () => {
  const cases: readonly (readonly [what: string, status: number, key: string, body: unknown])[] = [
    ["the contract's body", 200, demoKey, body],
    ["a value that JSON cannot hold", 200, demoKey, { ...body, metrics: [{ ...metric, value: null }] }],
    ["another key", 401, "another", body],
    ["no source", 400, demoKey, { ...body, source: undefined }],
    ["a name that is not in the contract", 400, demoKey, { ...body, extra: 1 }],
    ["no metrics", 400, demoKey, { timestamp: 1, source: "mlflow" }],
    ["a value as text", 400, demoKey, { ...body, metrics: [{ ...metric, value: "0.5" }] }],
    ["no tags", 400, demoKey, { ...body, metrics: [{ ...metric, metadata: { ...metric.metadata, tags: undefined } }] }],
    ["no JSON", 400, demoKey, undefined],
  ];
  for (const [what, status, key, sent] of cases) {
    it(`answers ${status} to ${what} and counts it`, async () => {
      const { app, counts } = createPramathusReceiver(demoKey);
      const answer = await app.request("/api/metrics", {
        method: "POST",
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(sent) ?? "{",
      });
      assert.equal(answer.status, status);
      const isTaken = status === 200;
      assert.deepEqual(counts, { samples: Number(isTaken), requests: Number(isTaken), refused: Number(!isTaken) });
    });
  }

  it("keeps the newest 1000 series only", async () => {
    const { app, counts, newest } = createPramathusReceiver(demoKey);
    const metrics = Array.from({ length: 1500 }, (_, index) => ({ ...metric, name: `m${index}` }));
    const headers = { authorization: `Bearer ${demoKey}` };
    await app.request("/api/metrics", { method: "POST", headers, body: JSON.stringify({ ...body, metrics }) });
    assert.equal(counts.samples, 1500);
    assert.equal(newest.size, 1000);
    assert.ok(newest.has("e r m1499"));
  });
});

describe("the demo's receivers", () => {
  it("show what they hold as JSON, a value a line", async () => {
    const { app, counts } = createReceivers();
    const headers = { authorization: `Bearer ${demoKey}` };
    await app.request("/api/metrics", { method: "POST", headers, body: JSON.stringify(body) });
    await app.request("/metrics/job/j", { method: "PUT", body: `${typed}mlflow_a 1\n` });
    await app.request("/metrics/job/j", { method: "PUT", body: "mlflow_a 1" });
    const shown = await (await app.request("/")).text();
    assert.match(shown, /^ +"e r val\/loss": 0.5$/m);
    assert.deepEqual(JSON.parse(shown), {
      pramathus: { samples: 1, requests: 1, refused: 0, newest: { "e r val/loss": 0.5 } },
      pushgateway: { pushes: 1, deletes: 0, refused: 1, groups: [{ labels: 'job="j"', series: 1 }] },
    });
    assert.deepEqual(counts(), { samples: 1, series: 1, refused: 1 });
  });
});
