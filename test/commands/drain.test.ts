import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { temporaryFolder, until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { givenConfig } from "./given-config.ts";
import { mlmon } from "./mlmon.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Runs mlmon until it has sent something, stops it by \`signals\`, and says how it has ended. */
async function runAndStop(
  text: string,
  flags: readonly string[],
  sent: () => boolean,
  signals: readonly { readonly name: NodeJS.Signals; readonly afterMs: number }[],
) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "mlmon.config.ts"), text);
  let pid = 0;
  const onStarted = (started: number) => {
    pid = started;
  };
  const ending = mlmon(["run", "--listen", "127.0.0.1:0", ...flags], { cwd: folder.path, onStarted });
  await until(sent, 30_000, "the first request");
  const stoppedAt = performance.now();
  const timers = signals.map(({ name, afterMs }) => setTimeout(() => process.kill(pid, name), afterMs));
  const ended = await ending;
  for (const timer of timers) clearTimeout(timer);
  return { ...ended, ms: performance.now() - stoppedAt };
}

const once = [{ name: "SIGTERM", afterMs: 0 }] as const;

describe("run --drain", () => {
  it("delivers what waits to a slow receiver, then ends with 0", async () => {
    const bodies: string[] = [];
    const server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      setTimeout(() => response.end(() => bodies.push(body)), 150);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stops.push(
      async () => server.closeAllConnections(),
      async () => server.close(),
    );
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const text = givenConfig(`http://127.0.0.1:${address.port}`, { count: 1000 });
    const ended = await runAndStop(text, ["--drain", "20s"], () => bodies.length > 0, once);
    assert.equal(ended.status, 0, ended.stderr);
    const steps = bodies.flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
    assert.deepEqual(steps, [...Array(1000).keys()]);
  });

  it("leaves a receiver that never answers when its time is over, and ends with 0", async () => {
    const receiver = await startReceiver(() => "hang");
    stops.push(receiver.stop);
    const sent = () => receiver.received.length > 0;
    const ended = await runAndStop(givenConfig(receiver.url), ["--drain", "1s"], sent, once);
    assert.equal(ended.status, 0, ended.stderr);
    assert.ok(ended.ms > 900 && ended.ms < 8000, `it took ${ended.ms} ms`);
    assert.match(ended.stderr, /mlmon has stopped/);
  });

  it("ends at once when the only sink waits for its next attempt", async () => {
    const receiver = await startReceiver(() => ({ status: 503, headers: { "retry-after": "600" } }));
    stops.push(receiver.stop);
    const sent = () => receiver.received.length > 0;
    const ended = await runAndStop(givenConfig(receiver.url), ["--drain", "60s"], sent, [
      { name: "SIGINT", afterMs: 300 },
    ]);
    assert.equal(ended.status, 0, ended.stderr);
    assert.ok(ended.ms < 8000, `it took ${ended.ms} ms`);
  });

  it("finishes the attempt of a failing sink, so that nothing is sent twice", async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      requests += 1;
      response.statusCode = requests === 1 ? 503 : 200;
      request.resume().once("end", () => setTimeout(() => response.end(), requests === 1 ? 0 : 1500));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stops.push(
      async () => server.closeAllConnections(),
      async () => server.close(),
    );
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    await using folder = await temporaryFolder();
    const text = givenConfig(`http://127.0.0.1:${address.port}`, { host: '{ retry: { base: "10ms" } }' });
    const flags = ["--state", folder.path];
    const ended = await runAndStop(text, flags, () => requests === 2, [{ name: "SIGTERM", afterMs: 0 }]);
    assert.equal(ended.status, 0, ended.stderr);
    const again = await runAndStop(text, flags, () => true, [{ name: "SIGTERM", afterMs: 2500 }]);
    assert.deepEqual([again.status, requests], [0, 2], again.stderr);
  });

  it("leaves a source that does not end", async () => {
    const receiver = await startReceiver();
    stops.push(receiver.stop);
    const sent = () => receiver.received.length > 0;
    const text = givenConfig(receiver.url, { deaf: true });
    const ended = await runAndStop(text, ["--drain", "500ms"], sent, once);
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stderr, /A source does not end and is left/);
  });

  it("is cut short by a second signal, but not by one passed on twice", async () => {
    const receiver = await startReceiver(() => "hang");
    stops.push(receiver.stop);
    const sent = () => receiver.received.length > 0;
    const signals = [0, 50, 1500].map((afterMs) => ({ name: "SIGINT", afterMs }) as const);
    const ended = await runAndStop(givenConfig(receiver.url), ["--drain", "60s"], sent, signals);
    assert.notEqual(ended.status, 0);
    assert.ok(ended.ms > 1400 && ended.ms < 5000, `it took ${ended.ms} ms`);
    assert.doesNotMatch(ended.stderr, /mlmon has stopped/);
  });

  it("is refused when it is no duration", async () => {
    await using folder = await temporaryFolder();
    const ended = await mlmon(["run", "--drain", "soon"], { cwd: folder.path });
    assert.equal(ended.status, 2);
    assert.match(ended.stderr, /Cannot use --drain "soon": expected a duration such as "10s" or "1m"/);
  });
});
