import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { gzipPage, packPart } from "../../src/prometheus/gzip-page.ts";
import { createReaders } from "../../src/prometheus/readers.ts";
import { serve } from "../../src/runtime/serve.ts";
import { until } from "../beds/wait.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const page = new Uint8Array(20_000_000).fill(97);
const rest = new TextEncoder().encode("the end");

async function served(readers = createReaders()) {
  const server = await serve(() => new Response(readers.body([page, rest])), { hostname: "127.0.0.1", port: 0 });
  closers.push(() => server.stop());
  return { readers, port: server.port, url: `http://127.0.0.1:${server.port}/` };
}

/** Asks for the page and reads nothing of it. */
async function idler(port: number): Promise<{ readonly socket: Socket; isClosed(): boolean }> {
  let closed = false;
  const socket = connect(port, "127.0.0.1").pause();
  closers.push(() => socket.destroy());
  socket.on("close", () => {
    closed = true;
  });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  return { socket, isClosed: () => closed };
}

describe("createReaders()", () => {
  it("gives the parts whole, and a page in gzip", async () => {
    const { url, readers } = await served();
    const body = new Uint8Array(await (await fetch(url)).arrayBuffer());
    assert.equal(body.length, page.length + rest.length);
    assert.deepEqual(body.slice(-8), new Uint8Array([97, ...rest]));
    assert.equal(readers.count(), 0);
    const packed = gzipPage(await packPart(page.subarray(0, 1_000_000)), rest);
    const unpacked = gunzipSync(new Uint8Array(await new Response(readers.body(packed)).arrayBuffer()));
    assert.equal(unpacked.length, 1_000_000 + rest.length);
  });

  it("holds next to nothing for many who read nothing, and still answers others", async () => {
    const { url, port, readers } = await served(createReaders({ max: 50 }));
    const before = process.memoryUsage.rss();
    for (let count = 0; count < 50; count++) await idler(port);
    await until(() => readers.count() === 50);
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < 100_000_000, `50 readers of 20 MB hold ${grown} bytes`);
    assert.equal((await (await fetch(url)).arrayBuffer()).byteLength, page.length + rest.length);
  });

  it("drops the one who has been reading for the longest when there are too many", async () => {
    const { port, readers } = await served(createReaders({ max: 3 }));
    const idlers: Awaited<ReturnType<typeof idler>>[] = [];
    for (let count = 0; count < 5; count++) {
      idlers.push(await idler(port));
      await until(() => readers.count() === Math.min(count + 1, 3));
    }
    for (const { socket } of idlers) socket.resume();
    await until(() => idlers.every(({ socket }) => socket.bytesRead > 0));
    await until(() => idlers.filter(({ socket }) => socket.bytesRead > page.length).length === 3);
    assert.deepEqual(
      idlers.map(({ socket }) => socket.bytesRead > page.length),
      [false, false, true, true, true],
    );
  });

  it("drops who takes too long, with a connection that breaks", async () => {
    const { url, port, readers } = await served(createReaders({ timeoutMs: 100 }));
    const { socket, isClosed } = await idler(port);
    await until(() => readers.count() === 1);
    await until(() => readers.count() === 0);
    socket.resume();
    await until(isClosed);
    assert.ok(socket.bytesRead < page.length);
    assert.equal((await fetch(url, { method: "GET" })).status, 200);
  });

  it("counts nobody for an answer that is not read", () => {
    const readers = createReaders();
    readers.body([page]);
    assert.equal(readers.count(), 0);
  });
});
