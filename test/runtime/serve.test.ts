import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { WorkError } from "../../src/model/errors.ts";
import { maxPending, serve } from "../../src/runtime/serve.ts";
import { until } from "../beds/wait.ts";

const loopback = { hostname: "127.0.0.1", port: 0 };

describe("serve()", () => {
  it("answers on the port it got", async () => {
    const server = await serve((request) => new Response(new URL(request.url).pathname), loopback);
    try {
      assert.equal(await (await fetch(`http://127.0.0.1:${server.port}/a/b`)).text(), "/a/b");
    } finally {
      await server.stop();
    }
  });

  it("answers 503 to what comes while too many are under way", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    let begun = 0;
    const hang = () => {
      begun += 1;
      return begun > maxPending ? new Response("late") : promise.then((response) => response.clone());
    };
    const server = await serve(hang, loopback);
    const url = `http://127.0.0.1:${server.port}/`;
    // Not by fetch, of which Bun lets so many go at a time.
    const waiting = Array.from({ length: maxPending }, () => connect(server.port, "127.0.0.1"));
    for (const socket of waiting) socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until(() => begun === maxPending);
    assert.equal((await fetch(url)).status, 503);
    resolve(new Response("done"));
    await until(() => waiting.every(({ bytesRead }) => bytesRead > 0));
    for (const socket of waiting) socket.destroy();
    assert.equal(await (await fetch(url)).text(), "late");
    await server.stop();
  });

  it("refuses a port in use with its number and the mend", async () => {
    const first = await serve(() => new Response(), loopback);
    const taken = serve(() => new Response(), { ...loopback, port: first.port });
    await assert.rejects(taken, (error: unknown) => {
      assert.ok(error instanceof WorkError);
      assert.match(
        error.message,
        new RegExp(`^Cannot listen on 127.0.0.1:${first.port}: the port is in use; .*--listen`),
      );
      return true;
    });
    await first.stop();
  });

  it("refuses an address that is not this machine's", async () => {
    // TEST-NET-1 of RFC 5737
    await assert.rejects(
      serve(() => new Response(), { hostname: "192.0.2.1", port: 0 }),
      {
        name: "WorkError",
        message: /^Cannot listen on 192\.0\.2\.1:0: it is not an address of this machine/,
      },
    );
  });

  it("answers the request in flight before it stops, and frees the port", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const { promise: go, resolve: release } = Promise.withResolvers<void>();
    const server = await serve(async () => {
      arrive();
      await go;
      return new Response("late");
    }, loopback);
    const answer = fetch(`http://127.0.0.1:${server.port}/`, { headers: { connection: "close" } });
    await arrived;
    const stopped = server.stop();
    release();
    assert.equal(await (await answer).text(), "late");
    await stopped;
    const again = await serve(() => new Response(), { ...loopback, port: server.port });
    await again.stop();
  });
});
