import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WorkError } from "../../src/model/errors.ts";
import { serve } from "../../src/runtime/serve.ts";

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
