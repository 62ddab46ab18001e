import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createSecureServer } from "node:https";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createClient } from "../../src/mlflow/client.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";
import { options } from "./memory.ts";
import { localServer } from "./proxy.ts";

const timeout = 30_000;

/** The message with which one call fails. */
async function failure(url: string): Promise<string> {
  const asked = createClient(options(url), { attempts: 1 }).text("/version");
  return asked.then(
    () => "it has answered",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

describe("the words for an MLflow that cannot be reached", { timeout }, () => {
  it("name a refused connection", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    assert.equal(
      await failure(url),
      `Cannot use MLflow at ${url} as connection refused, nothing listens there: check that it runs there, or correct trackingUri (MLFLOW_TRACKING_URI)`,
    );
  });

  it("name an unknown host", async () => {
    assert.match(
      await failure("http://no-such-host.invalid:5000"),
      /as host not found.*: correct the host in tracking/,
    );
  });

  it("name a connection that the server resets or closes", async () => {
    const server = createServer((socket) => void socket.on("error", () => {}).end());
    const port = await portOf(server);
    const message = await failure(`http://127.0.0.1:${port}`);
    server.close();
    assert.match(message, /as connection (reset|closed) by the server: check its log, and whether trackingUri begins/);
  });

  it("name https where http is spoken", async () => {
    const server = await localServer((_, response) => void response.end("3.17.2"));
    const message = await failure(server.url.replace("http:", "https:"));
    server.close();
    assert.match(message, /as the server speaks no TLS on this port: write http:\/\/ in trackingUri/);
  });

  it("name a certificate that nobody knows", async (test) => {
    await using folder = await temporaryFolder();
    const words = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost".split(" ");
    if (spawnSync("openssl", words, { cwd: folder.path }).status !== 0) return test.skip("no openssl");
    const pem = (name: string) => readFileSync(join(folder.path, name));
    const server = createSecureServer({ key: pem("key.pem"), cert: pem("cert.pem") }).on("tlsClientError", () => {});
    const port = await portOf(server);
    const message = await failure(`https://localhost:${port}`);
    server.close();
    assert.match(message, /as the .*(certificate|secured).*: give it a certificate for this host name, or trust/);
  });

  it("do not take a limit of requests for a start", async () => {
    const server = await localServer((_, response) => void response.writeHead(429).end());
    const message = await failure(server.url);
    server.close();
    assert.match(message, /as it answered 429: let it, or the proxy before it, allow more requests/);
  });
});
