import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { createSender, type SendOptions } from "../../src/delivery/send.ts";
import type { HttpRequest } from "../../src/model/http-request.ts";
import { secret } from "../../src/model/secret.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { freePort } from "../beds/wait.ts";
import { type Act, startReceiver } from "../fixtures/receiver.ts";

const send = createSender({ version: "1.2.3" });
const options = (change: Partial<SendOptions> = {}): SendOptions => ({
  timeoutMs: 5000,
  signal: new AbortController().signal,
  ...change,
});

const tls = certificateOfAnother();

/** A key and a self-signed certificate for another host; nothing without openssl. */
function certificateOfAnother(): { key: Buffer; cert: Buffer } | undefined {
  const arguments_ = "req -x509 -newkey rsa:2048 -nodes -keyout - -subj /CN=other.example".split(" ");
  const { status, stdout } = spawnSync("openssl", arguments_);
  return status === 0 ? { key: stdout, cert: stdout } : undefined;
}

/** Sends one request to a receiver with this script. */
async function exchange(script: readonly Act[], change: Partial<HttpRequest> = {}, sending = options()) {
  const receiver = await startReceiver(script);
  try {
    const request: HttpRequest = { method: "POST", url: `${receiver.url}/in?key=abc`, body: "hello", ...change };
    return { sent: await send(request, sending), received: receiver.received };
  } finally {
    await receiver.stop();
  }
}

describe("the sender", () => {
  it("sends exactly the bytes and headers it is given, with its own user agent", async () => {
    const body = new TextEncoder().encode("späne\n");
    const { sent, received } = await exchange([], { body, headers: { "content-type": "text/plain" } });
    assert.equal(sent.kind, "answered");
    assert.equal(received[0]?.body, "späne\n");
    assert.equal(received[0]?.path, "/in?key=abc");
    assert.equal(received[0]?.headers["content-type"], "text/plain");
    assert.equal(received[0]?.headers["user-agent"], "mlmon/1.2.3");
  });

  it("adds no content type to a text", async () => {
    const { received } = await exchange([], { body: "späne" });
    assert.equal(received[0]?.body, "späne");
    assert.equal(received[0]?.headers["content-type"], undefined);
  });

  it("reads a compressed answer", async () => {
    const receiver = await startReceiver([
      { status: 400, headers: { "content-encoding": "gzip" }, body: gzipSync("bad sample") },
    ]);
    after(() => receiver.stop());
    const sent = await send({ method: "POST", url: receiver.url, body: "x" }, options());
    assert.ok(sent.kind === "answered");
    assert.equal(await sent.response.text(), "bad sample");
  });

  it("goes by the status of an answer that is not in the encoding it names", async () => {
    // Deno decodes these by itself: the request counts as one without an answer, and is tried again.
    const failing = runtime === "deno" ? ["gzip", "br"] : [];
    for (const encoding of ["gzip", "deflate", "br", "zstd", "odd"]) {
      for (const body of ["", "plain words", gzipSync("cut").subarray(0, 12)]) {
        const { sent } = await exchange([{ status: 200, headers: { "content-encoding": encoding }, body }]);
        assert.equal(sent.kind, failing.includes(encoding) ? "failed" : "answered", encoding);
      }
    }
  });

  it("gives up after the timeout when a compressed answer does not end", async () => {
    const answering = createServer((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).write(gzipSync("slow").subarray(0, 11));
    }).listen(0, "127.0.0.1");
    await once(answering, "listening");
    const address = answering.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
    const sent = await send({ method: "POST", url, body: "x" }, options({ timeoutMs: 200 }));
    answering.closeAllConnections();
    answering.close();
    assert.deepEqual(sent, { kind: "failed", reason: `no answer within 0.2 s (${url})` });
  });

  it("gives up after the timeout when the answer does not end", async () => {
    const { sent } = await exchange(["slow body"], {}, options({ timeoutMs: 200 }));
    assert.ok(sent.kind === "failed");
    assert.match(sent.reason, /^no answer within 0\.2 s \(http:\/\/127\.0\.0\.1:\d+\)$/);
  });

  it("takes a timeout of months", async () => {
    const { sent } = await exchange([], {}, options({ timeoutMs: 90 * 86_400_000 }));
    assert.equal(sent.kind, "answered");
  });

  it("names TLS as the failure with a certificate that nobody knows", {
    skip: tls ? false : "no openssl",
  }, async () => {
    const receiver = await startReceiver([], tls && { tls });
    after(() => receiver.stop());
    const sent = await send({ method: "POST", url: `${receiver.url}/?key=abc`, body: "x" }, options());
    assert.ok(sent.kind === "failed");
    assert.match(sent.reason, /^TLS: /);
    assert.equal(receiver.received.length, 0);
  });

  it("reveals secrets to the receiver alone and masks them in its words", async () => {
    const token = secret.literal("token", "s3cret-value");
    const script: Act[] = [{ status: 401, body: "bad key s3cret-value" }];
    const { sent, received } = await exchange(script, { headers: { authorization: secret.bearer(token) } });
    assert.equal(received[0]?.headers.authorization, "Bearer s3cret-value");
    assert.ok(sent.kind === "answered");
    assert.equal(await sent.response.text(), "bad key <secret>");
  });

  it("takes user and password out of the address", async () => {
    const receiver = await startReceiver();
    after(() => receiver.stop());
    await send({ method: "GET", url: receiver.url.replace("//", "//ada:p%40ss@") }, options());
    assert.equal(receiver.received[0]?.headers.authorization, `Basic ${btoa("ada:p@ss")}`);
  });

  it("does not follow a redirect", async () => {
    const { sent, received } = await exchange([{ status: 307, headers: { location: "/elsewhere" } }]);
    assert.ok(sent.kind === "answered");
    assert.equal(sent.response.status, 307);
    assert.equal(received.length, 1);
  });

  it("gives up after the timeout when the receiver hangs", async () => {
    const { sent } = await exchange(["hang"], {}, options({ timeoutMs: 100 }));
    assert.ok(sent.kind === "failed");
    assert.match(sent.reason, /^no answer within 0\.1 s /);
  });

  it("reads no more than 64 KiB of an endless answer", async () => {
    const { sent } = await exchange(["endless"]);
    assert.ok(sent.kind === "answered");
    assert.equal((await sent.response.text()).length, 64 * 1024);
  });

  it("names a reset, before and amid the answer, as a failure of a host, without the rest of the address", async () => {
    for (const act of ["reset before", "reset amid"] as const) {
      const { sent } = await exchange([act]);
      assert.ok(sent.kind === "failed", act);
      assert.match(sent.reason, / \(http:\/\/127\.0\.0\.1:\d+\)$/);
    }
  });

  it("names a refused connection and an unknown host", async () => {
    const place = `http://127.0.0.1:${await freePort()}`;
    const refused = await send({ method: "GET", url: `${place}/?key=abc` }, options());
    assert.deepEqual(refused, { kind: "failed", reason: `connection refused: nothing listens there (${place})` });
    const unknown = await send({ method: "GET", url: "http://no-such-host.invalid/" }, options());
    assert.ok(unknown.kind === "failed");
    assert.match(unknown.reason, /host not found/);
  });

  it("stops at once when the signal fires", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const { sent } = await exchange(["hang"], {}, options({ signal: stop.signal }));
    assert.deepEqual(sent, { kind: "stopped" });
  });
});
