import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { mlmon } from "../commands/mlmon.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";

const timeout = 60_000;
const token = "the-token-of-this-test";

/** A source of one sample every 20 ms, the page and one receiver. */
const config = (receiver: string) => `
import { defineSource, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
const run = { id: "a".repeat(32), name: "r", experiment: { id: "1", name: "e" }, status: "running", startTime: 0,
  user: "", stage: "None", tags: {}, params: {} } as const;
const ticks = defineSource("ticks", v.strictObject({}), () => ({
  async *read({ signal, polled }) {
    polled({ ok: true, nextMs: 1000 });
    for (let step = 0; !signal.aborted; step++) {
      const time = Date.now();
      yield { time, ended: [], runs: [run], samples: [{ name: "x", value: step, time, step, run }] };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
}));
export default { sources: [ticks()], sinks: [prometheus(), pramathus({ endpoint: "${receiver}" })],
  server: { token: "${token}" } };`;

const folder = await temporaryFolder();
let receiver: Receiver;
let port = 0;
let pid = 0;
let ended: ReturnType<typeof mlmon>;
const sockets = new Set<Socket>();

before(async () => {
  receiver = await startReceiver();
  port = await freePort();
  await writeFile(join(folder.path, "mlmon.config.ts"), config(receiver.url));
  ended = mlmon(["run", "--listen", `127.0.0.1:${port}`], { cwd: folder.path, onStarted: (child) => (pid = child) });
  const failed = ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
  failed.catch(() => {});
  await Promise.race([until(() => healthy()), failed]);
});

after(async () => {
  for (const socket of sockets) socket.destroy();
  process.kill(pid, "SIGTERM");
  const { status, stderr } = await ended;
  await receiver.stop();
  await folder.remove();
  assert.equal(status, 0, stderr);
  // What anybody may send must not fill a log, nor show a stack.
  assert.doesNotMatch(stderr, /ERROR|\n\s+at |could not answer/);
  assert.ok(stderr.split("\n").length < 30, stderr);
});

const bearer = `authorization: Bearer ${token}`;
const get = (target: string, ...headers: readonly string[]) =>
  `GET ${target} HTTP/1.1\r\n${["host: localhost", ...headers, "connection: close"].join("\r\n")}\r\n\r\n`;

function open(): Socket {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  sockets.add(socket);
  return socket.once("close", () => sockets.delete(socket));
}

/** Sends bytes as they are and gives the status of the answer, 0 for a connection that was closed without one. */
async function status(...pieces: readonly (string | Uint8Array)[]): Promise<number> {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(await answer(...pieces))?.[1] ?? 0);
}

async function answer(...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = open();
  let text = "";
  socket.setEncoding("latin1").on("data", (more: string) => (text += more));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const piece of pieces) {
    if (socket.destroyed) break;
    if (!socket.write(piece)) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
  }
  // One that answers and keeps the connection has been heard, too.
  await until(() => socket.destroyed || /\r\n\r\n/.test(text), 10_000, "an answer or the end of the connection");
  socket.destroy();
  return text;
}

async function healthy(): Promise<boolean> {
  const asked = await fetch(`http://127.0.0.1:${port}/-/healthy`, { signal: AbortSignal.timeout(1000) });
  return (await asked.text()) === "healthy\n";
}

/** Answers at once, delivers on, and has not grown. */
async function isWell(): Promise<void> {
  assert.ok(await healthy());
  const count = receiver.received.length;
  await until(() => receiver.received.length > count + 2, 5000, "further deliveries");
  assert.ok(residentMiB() < 400, `${residentMiB()} MiB`);
}

function residentMiB(): number {
  if (process.platform !== "linux") return 0;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

describe("the status server of mlmon run", { timeout }, () => {
  it("lets slow requests wait without harm: headers byte by byte, and bodies that never come", async () => {
    const slow = Array.from({ length: 20 }, open);
    const bodies = Array.from({ length: 20 }, open);
    const unread = Array.from({ length: 20 }, open);
    const [path, length] = ["/api/v1/queue/drop", "content-length: 100"];
    for (const socket of bodies)
      socket.write(`POST ${path} HTTP/1.1\r\nhost: localhost\r\n${bearer}\r\n${length}\r\n\r\n`);
    for (const socket of unread) socket.write(`POST /-/nothing HTTP/1.1\r\nhost: localhost\r\n${length}\r\n\r\n{`);
    for (const byte of get("/api/v1/status", "x: y").slice(0, 40)) for (const socket of slow) socket.write(byte);
    await isWell();
    for (const socket of [...slow, ...bodies, ...unread]) socket.destroy();
    await isWell();
  });

  it("refuses a header, a target and a count of headers that are too large", async () => {
    const large = "a".repeat(1024 ** 2);
    const many = Array.from({ length: 5000 }, (_, index) => `x-${index}: y`);
    for (const text of [get("/-/healthy", `x: ${large}`), get(`/${large}`), get("/-/healthy", ...many)]) {
      assert.ok([0, 400, 404, 413, 414, 431].includes(await status(text)), text.slice(0, 40));
      await isWell();
    }
  });

  it("takes no large body, with the length told or not", async () => {
    const piece = Buffer.alloc(1024 ** 2, "x");
    const chunk = Buffer.concat([Buffer.from("100000\r\n"), piece, Buffer.from("\r\n")]);
    const pieces = Array.from({ length: 64 });
    const expected: Readonly<Record<string, number>> = { "/-/reload": 200, "/api/v1/queue/drop": 413, "/": 405 };
    const send = async (path: string, login: string) => {
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${login}\r\n`;
      const told = status(`${head}content-length: ${64 * 1024 ** 2}\r\n\r\n`, ...pieces.map(() => piece));
      const untold = status(`${head}transfer-encoding: chunked\r\n\r\n`, ...pieces.map(() => chunk));
      const codes = [0, login === bearer ? (expected[path] ?? 405) : 401, 413];
      for (const code of await Promise.all([told, untold])) assert.ok(codes.includes(code), `${code} for ${path}`);
    };
    await Promise.all(Object.keys(expected).flatMap((path) => [send(path, bearer), send(path, "x: y")]));
    await isWell();
  });

  it("refuses what is no request", async () => {
    const random = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256));
    const texts = [
      "\r\n\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "GET / \r\nhost: localhost\r\n\r\n",
      "\u0000\u0000\u0000\u0000\r\n\r\n",
      "G\u0000T /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n",
      "GET /-/healthy HTTP/1.1\r\nno colon\r\n\r\n",
      "GET /-/healthy HTTP/1.1\r\n: no name\r\nhost: localhost\r\n\r\n",
      "POST /-/reload HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
      "POST /-/reload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /-/reload HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n",
    ];
    const hello = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
    for (const text of [...texts, random, hello]) {
      const socket = open();
      let back = "";
      socket.setEncoding("latin1").on("data", (more: string) => (back += more));
      socket.end(text);
      await until(() => socket.destroyed || back !== "", 5000);
      // What is no HTTP/1 at all may be answered in HTTP/2, which Deno speaks.
      assert.doesNotMatch(back, /^HTTP\/1\.1 [235](?!05)/, String(text));
      socket.destroy();
    }
    await isWell();
  });

  it("answers what comes after a good request, and no garbage behind it", async () => {
    const socket = open();
    let text = "";
    socket.setEncoding("latin1").on("data", (more: string) => (text += more));
    const one = "GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write(one.repeat(50) + "garbage\u0000garbage\r\n".repeat(1000));
    const answers = () => text.split("HTTP/1.1 200").length - 1;
    await until(() => answers() >= 50, 5000);
    await isWell();
    assert.equal(answers(), 50);
    socket.destroy();
  });

  it("keeps 300 idle connections, and answers the next", async () => {
    const idle = Array.from({ length: 300 }, open);
    await until(() => idle.every(({ connecting }) => !connecting));
    await isWell();
    for (const socket of idle) socket.write("GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until(() => idle.every(({ bytesRead }) => bytesRead > 0), 5000);
    await isWell();
    for (const socket of idle) socket.destroy();
  });

  it("opens no way around the token by how a path is written", async () => {
    for (const path of ["/api/v1/status", "/metrics", "/"]) {
      const ways = [
        ...["", "/", "/-/healthy/..", "/-/healthy/%2e%2e", "/-/%2e%2e", "/-/healthy%2f..%2f..", "/-/healthy/../.."],
        ...["/%00", "/-/healthy;", "/-/healthy%00/..", "/-/healthy\\..\\..", "http://localhost", "http://evil.example"],
        ...["http://localhost/-/healthy/..", "//evil.example"],
      ].map((before) => before + path);
      const more = ["/-/healthy", "%00", "?/-/healthy", "#/-/healthy", `?token=${token}`, `?access_token=${token}`];
      const all = [...ways, ...more.map((after) => path + after)];
      const codes = await Promise.all(all.map((way) => status(get(way))));
      for (const [index, code] of codes.entries())
        assert.ok([0, 400, 401, 403, 404].includes(code), `${code} for ${all[index]}`);
    }
    await isWell();
  });

  it("refuses foreign hosts, foreign origins and wrong tokens", async () => {
    const post = (...headers: readonly string[]) =>
      `POST /-/reload HTTP/1.1\r\n${[...headers, "content-length: 0", "connection: close"].join("\r\n")}\r\n\r\n`;
    const host = "host: localhost";
    assert.equal(await status(get("/-/healthy").replace("localhost", "evil.example")), 403);
    assert.ok([400, 403].includes(await status(get("/-/healthy", "host: evil.example"))), "two hosts");
    // Every browser sends one.
    assert.ok([200, 400].includes(await status("GET /-/healthy HTTP/1.1\r\n\r\n")), "no host");
    assert.equal(await status(post(host, bearer, "origin: http://evil.example")), 403);
    assert.equal(await status(post(host, bearer, "origin: null")), 403);
    assert.equal(await status(post(host, bearer, "sec-fetch-site: cross-site")), 403);
    assert.equal(await status(post(host, "authorization: Bearer wrong")), 401);
    assert.equal(await status(post(host, `authorization: Bearer ${token.slice(0, -1)}`)), 401);
    assert.equal(await status(post(host, `authorization: Bearer ${token}x`)), 401);
    assert.equal(await status(post(host, `cookie: token=${token}`)), 401);
    assert.equal(await status(post(host, bearer)), 200);
    await isWell();
  });
});
