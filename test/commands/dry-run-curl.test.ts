import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import { config, folderWith } from "./fixed-samples.ts";
import { mlmon } from "./mlmon.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

/** A sink whose requests hold what a shell and curl would take for something else. */
const tricky = `import { defineHttpSink, secret } from "mlmon";
const tricky = defineHttpSink("tricky", v.strictObject({ url: v.string() }), ({ url }) => ({
  render: () => [
    { method: "POST", url, body: "@mlmon.config.ts" },
    { method: "POST", url, body: "it's \\"\\\\n\\" $HOME \`id\` 100 %s\\r\\n\\n" },
    { method: "PUT", url: url + "{a,b}[1-2]?x={c}", body: "x".repeat(300_000) },
    { method: "POST", url, headers: { "x-empty": "", "x-text": "it's $HOME" }, body: new Uint8Array([0, 255, 10]) },
    { method: "POST", url, body: "" },
    { method: "DELETE", url },
  ],
}));`;

describe("mlmon dry-run --format curl", { skip: hasCurl ? false : "there is no curl" }, () => {
  it("prints what a shell sends as mlmon does, byte for byte", async () => {
    await using receiver = await openReceiver();
    const sinks = `tricky({ url: "${receiver.url}" }, { match: ({ step }) => step === 1 }),
      pramathus({ endpoint: "${receiver.url}", apiKey: secret.env("THE_KEY") })`;
    await using folder = await folderWith({ "mlmon.config.ts": config(sinks, tricky) });
    const options = { cwd: folder.path, env: { THE_KEY: "it's secret-enough" } };
    const preview = await mlmon(["dry-run", "--format", "curl"], options);
    assert.equal(preview.status, 0, preview.stderr);
    await writeFile(join(folder.path, "pasted.sh"), preview.stdout);
    await shell("pasted.sh", options);
    const pasted = receiver.take();
    const sent = await mlmon(["export-once"], options);
    assert.equal(sent.status, 0, sent.stderr);
    assert.equal(pasted.length, 7);
    assert.deepEqual(pasted, receiver.take());
  });

  it("says which secrets are to be put in by hand", async () => {
    const sinks = `pramathus({ endpoint: "http://ada:of-ada@localhost/" }),
      pramathus({ endpoint: "http://localhost/", apiKey: secret.file("key file") }, { id: "file" })`;
    const text = config(sinks, 'import { secret } from "mlmon";');
    await using folder = await folderWith({ "mlmon.config.ts": text, "key file": "of-the-file" });
    const { stdout } = await mlmon(["dry-run", "--format", "curl"], { cwd: folder.path });
    assert.match(
      stdout,
      /^# pramathus\n# first put its value in the place of <secret password in the address>\nprintf /,
    );
    assert.match(stdout, /^# file\n# first put its value in the place of <secret key file>\nprintf /m);
  });
});

function shell(script: string, { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> }): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("sh", [script], { cwd, env: { ...process.env, ...env } }, (error, _, stderr) =>
      error || stderr ? reject(new Error(stderr || String(error))) : resolve(),
    );
  });
}

/** Keeps what it is sent, in the order of the texts: two sinks send at the same time. */
async function openReceiver() {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push(textOf(request, await buffer(request)));
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/`,
    take: () => requests.splice(0).sort(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Without what every client adds of its own. */
function textOf({ method, url, headers }: IncomingMessage, body: Buffer): string {
  const own = /^(host|user-agent|accept|accept-encoding|accept-language|connection|content-length|transfer-encoding)$/;
  const kept = Object.entries(headers)
    .filter(([name]) => !own.test(name))
    .sort();
  return JSON.stringify([method, url, kept, body.toString("base64")]);
}
