import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createClient } from "../../src/mlflow/client.ts";
import { options } from "./memory.ts";

const folder = mkdtempSync(join(tmpdir(), "mlmon-tls-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const ca = join(folder, "ca.pem");
const key = join(folder, "key.pem");
const cert = join(folder, "cert.pem");
// A certificate that signs itself is no authority to Deno, so there is one.
const script = `
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority &&
  openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost &&
  echo subjectAltName=DNS:localhost > extensions &&
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem -extfile extensions &&
  cat cert.pem key.pem > client.pem`;
const made = spawnSync("sh", ["-c", script], { cwd: folder });
const skip = made.status === 0 ? false : "no openssl";
const inDeno = "Deno" in globalThis;

describe("mlflow over TLS", { skip }, () => {
  it("trusts a given CA, refuses a strange one, and takes any where verify is false", { timeout: 30_000 }, async () => {
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
      response.end("3.17.2");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `https://localhost:${typeof address === "object" ? address?.port : 0}`;
    try {
      const world = { attempts: 1 };
      assert.equal(await createClient(options(url, { caFile: ca }), world).text("/version"), "3.17.2");
      await assert.rejects(createClient(options(url), world).text("/version"), /Cannot use MLflow/);
      if (inDeno) assert.throws(() => createClient(options(url, { verify: false })), /unsafely-ignore/);
      else assert.equal(await createClient(options(url, { verify: false }), world).text("/version"), "3.17.2");
      assert.throws(
        () => createClient(options(url, { caFile: join(folder, "none.pem") })),
        /Cannot read the PEM file .* of caFile/,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("shows a client certificate", { timeout: 30_000 }, async () => {
    const both = { key: readFileSync(key), cert: readFileSync(cert) };
    const server = createServer(
      { ...both, ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true },
      (_, response) => {
        response.end("let in");
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const url = `https://localhost:${typeof address === "object" ? address?.port : 0}`;
    const clientCert = join(folder, "client.pem");
    try {
      const world = { attempts: 1 };
      assert.equal(await createClient(options(url, { caFile: ca, clientCert }), world).text("/"), "let in");
      await assert.rejects(createClient(options(url, { caFile: ca }), world).text("/"));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
