import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { mlmon } from "./mlmon.ts";
import { expectTidy } from "./wrong-use-world.ts";
import { secretWord } from "./wrong-uses.ts";

/** Refuses everything for good and repeats in its words what it was sent: the worst a receiver can do. */
const echo = createServer((request, response) => {
  response.writeHead(400, { "content-type": "text/plain", connection: "close" });
  response.end(`no: ${request.headers.authorization} ${request.headers["x-api-key"]} ${request.url}`);
}).listen(0, "127.0.0.1");
await once(echo, "listening");
after(() => echo.close());

const run = { id: "a".repeat(32), name: "r", experiment: { id: "1", name: "e" } };
const files = {
  "mlmon.config.ts": `
import { mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
const address = process.env.ECHO ?? "";
export default {
  sources: [mlflow({ trackingUri: address.replace("//", "//me:${secretWord}@"), username: "me", password: "${secretWord}" })],
  sinks: [
    prometheus(),
    pramathus({ endpoint: address + "/in", apiKey: secret.env("KEY") }),
    pramathus({ endpoint: address.replace("//", "//me:${secretWord}@"), apiKey: secret.file("key") }, { id: "second" }),
    pushgateway({ endpoint: address.replace("//", "//me:${secretWord}@") }),
  ],
  server: { token: "${secretWord}" },
};`,
  key: `${secretWord}\n`,
  "samples.ndjson": `${JSON.stringify({ name: "loss", value: 1, time: 5, run })}\n`,
};

async function folderWithSecrets() {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
  return folder;
}

const env = { KEY: secretWord, ECHO: `http://127.0.0.1:${portOf(echo)}`, MLMON_LOG_LEVEL: "debug" };

describe("no output holds a secret", () => {
  const preview = "dry-run --input samples.ndjson";
  const lines = [
    "validate",
    "validate --json",
    "export-once",
    "export-once --json",
    "dry-run",
    "doctor",
    "doctor --json",
  ];
  const previews = ["", " --json", " --format curl", " --raw", " --snapshot kept"].map((more) => `${preview}${more}`);
  for (const line of [...lines, ...previews]) {
    it(`of mlmon ${line}`, async () => {
      await using folder = await folderWithSecrets();
      const ended = await mlmon(line.split(" "), { cwd: folder.path, env });
      assert.ok(ended.stdout + ended.stderr !== "");
      expectTidy(ended);
    });
  }

  it("of mlmon run: log, page, JSON and metrics, when a receiver repeats what it was sent", async () => {
    await using folder = await folderWithSecrets();
    const text = files["mlmon.config.ts"].replace(/sources: .*/, "sources: [one()],").replace(
      "const address",
      `import { defineSource, v } from "mlmon";
const one = defineSource("one", v.strictObject({}), () => ({
  async *read() {
    const run = { ...${JSON.stringify(run)}, status: "running", startTime: 1, user: "", stage: "None", tags: {}, params: {} } as const;
    yield { time: 1, samples: [{ name: "loss", value: 1, time: 1, step: 1, run }], ended: [], runs: [run] };
  },
}));
const address`,
    );
    await writeFile(join(folder.path, "mlmon.config.ts"), text);
    const url = `127.0.0.1:${await freePort()}`;
    let pid = 0;
    const running = mlmon(["run", "--listen", url], { cwd: folder.path, env, onStarted: (child) => (pid = child) });
    const headers = { authorization: `Bearer ${secretWord}` };
    const get = async (path: string) => (await fetch(`http://${url}${path}`, { headers })).text();
    try {
      const status = await until(async () => {
        const text = await get("/api/v1/status");
        const { sinks } = JSON.parse(text);
        return sinks.filter((sink: { lastError?: unknown }) => sink.lastError).length >= 3 && text;
      });
      assert.match(status, /<secret/);
      for (const text of [status, await get("/"), await get("/metrics"), await get("/-/ready")])
        assert.ok(!text.includes(secretWord), text);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    expectTidy(await running);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}
