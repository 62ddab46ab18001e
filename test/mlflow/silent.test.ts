import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { contactTime } from "../../src/mlflow/contact-time.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { silentLog } from "../../src/model/log.ts";
import { until } from "../beds/wait.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { localServer } from "./proxy.ts";

const timeout = 30_000;

/** Accepts connections and never answers, as behind a firewall that swallows what is sent. */
async function silentServer() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, connections: () => connections, close: () => server.close() };
}

describe("mlflow source on a server that accepts but never answers", { timeout }, () => {
  it("gives a first answer 10 s of 60, never more than one request may take", () => {
    assert.deepEqual(
      [60_000, 5000, 300_000].map((each) => contactTime({ timeout: each })),
      [10_000, 5000, 50_000],
    );
  });

  it("fails after one short attempt where it reads once", async () => {
    const server = await silentServer();
    const source = mlflowSource(options(server.url, { timeout: "60s" }), { contactMs: 200 });
    const started = performance.now();
    await assert.rejects(async () => {
      for await (const _ of source.read(context(memoryJournal(), { once: true })));
    }, /did not answer within 0.2 s: check that it runs there and that no firewall swallows requests, or raise timeout/);
    assert.ok(performance.now() - started < 5000);
    assert.equal(server.connections(), 1);
    server.close();
  });

  it("says so soon while it runs, and then gives it all the time that a request may take", async () => {
    const server = await silentServer();
    const source = mlflowSource(options(server.url, { timeout: "900ms", interval: "100ms" }), { contactMs: 200 });
    const stop = new AbortController();
    const ctx = context(memoryJournal(), { once: false, signal: stop.signal });
    const reading = (async () => {
      for await (const _ of source.read(ctx));
    })();
    const reasons = await until(() => ctx.polls.length >= 2 && ctx.polls.map((poll) => (poll.ok ? "" : poll.reason)));
    stop.abort();
    await reading;
    server.close();
    assert.match(reasons[0] ?? "", /did not answer within 0.2 s/);
    assert.match(reasons[1] ?? "", /did not answer within 0.9 s/);
  });

  it("warns once when a server that has answered does so no more, long before it gives up", async () => {
    let isSilent = false;
    const server = await localServer(({ path }, response) => {
      if (isSilent) return;
      const empty = path.includes("experiments/search") ? { experiments: [{ experiment_id: "1", name: "e" }] } : {};
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(empty));
    });
    const warned: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warned.push(message) };
    const stop = new AbortController();
    const ctx = context(memoryJournal(), { once: false, signal: stop.signal, log });
    const source = mlflowSource(options(server.url, { timeout: "60s", interval: "100ms" }), { slowMs: 200 });
    const reading = (async () => {
      for await (const _ of source.read(ctx));
    })();
    await until(() => ctx.polls.some(({ ok }) => ok));
    assert.deepEqual(warned, []);
    isSilent = true;
    await until(() => warned.length > 0, 10_000);
    stop.abort();
    await reading;
    server.close();
    assert.deepEqual(warned, ["MLflow takes long to answer, which is waited for"]);
  });

  it("says what it waits for", async () => {
    const server = await silentServer();
    const said: string[] = [];
    const log = { ...silentLog, info: (message: string) => void said.push(message) };
    const source = mlflowSource(options(server.url, { timeout: "60s" }));
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of source.read(context(memoryJournal(), { log, signal: stop.signal })));
    })().catch(() => undefined);
    await until(() => said.includes("Waiting for MLflow to answer"));
    stop.abort();
    await reading;
    server.close();
  });
});
