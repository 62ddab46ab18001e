import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../beds/wait.ts";
import { mlmon } from "./mlmon.ts";

const root = join(import.meta.dirname, "../..");
const execute = promisify(execFile);
if (!existsSync(join(root, "dist/types.json"))) await execute("node", [join(root, "scripts/types.js")]);

const every = {
  PROMETHEUS_GATEWAY: "localhost:9091",
  PRAMATHUS_ENDPOINT: "http://localhost:9999/metrics",
  PRAMATHUS_API_KEY: "some-key",
  NTFY_TOPIC: "training",
};

describe("mlmon init", () => {
  it("writes a configuration that is valid, with every part switched on too", async () => {
    await using folder = await temporaryFolder();
    assert.equal((await mlmon(["init"], { cwd: folder.path })).status, 0);
    const lean = await mlmon(["validate"], { cwd: folder.path });
    assert.equal(lean.status, 0, lean.stderr);
    assert.match(lean.stdout, /sinks prometheus\n/);
    const full = await mlmon(["validate"], { cwd: folder.path, env: every });
    assert.equal(full.status, 0, full.stderr);
    assert.match(full.stdout, /sinks prometheus, pushgateway, pramathus, ntfy\n/);
  });

  it("gives a plugin that sends names of any alphabet", async () => {
    await using folder = await temporaryFolder();
    await mlmon(["init"], { cwd: folder.path });
    const run = { id: "a".repeat(32), name: "größer", experiment: { id: "1", name: "画像" } };
    await writeFile(
      join(folder.path, "samples.ndjson"),
      JSON.stringify({ name: "test/accuracy", value: 1, time: 0, run }),
    );
    const words = ["dry-run", "--sink", "ntfy", "--input", "samples.ndjson"];
    const { status, stdout } = await mlmon(words, { cwd: folder.path, env: every });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /画像 \/ größer: test\/accuracy = 1 at step 0\n/);
  });

  it("types the configuration and the plugin without node_modules, and a misspelt option is an error", async () => {
    await using folder = await temporaryFolder();
    await mlmon(["init"], { cwd: folder.path });
    assert.deepEqual(await typeErrors(folder.path), []);

    await replace(join(folder.path, "mlmon.config.ts"), 'interval: "60s"', 'intervall: "60s"');
    await replace(join(folder.path, "mlmon.config.ts"), "ntfy({ topic: ntfyTopic }", "ntfy({ topik: ntfyTopic }");
    await replace(join(folder.path, "plugins/ntfy.ts"), 'method: "POST"', 'method: "SEND"');
    const errors = await typeErrors(folder.path);
    assert.equal(errors.length, 3, errors.join("\n"));
    assert.match(errors.join("\n"), /intervall/);
    assert.match(errors.join("\n"), /topik/);
    assert.match(errors.join("\n"), /"SEND"/);
  });

  it("types the names that a plugin may import: mlmon/prometheus, valibot, hono and its jsx", async () => {
    await using folder = await temporaryFolder();
    await mlmon(["init"], { cwd: folder.path });
    await writeFile(join(folder.path, "plugins/page.tsx"), page);
    assert.deepEqual(await typeErrors(folder.path), []);
  });

  it("keeps what is there, names all of it and writes nothing, unless forced", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "plugins"));
    await writeFile(join(folder.path, "plugins/ntfy.ts"), "mine");
    await writeFile(join(folder.path, "tsconfig.json"), "{}");
    const { status, stderr } = await mlmon(["init"], { cwd: folder.path });
    assert.equal(status, 2);
    assert.match(stderr, /"plugins\/ntfy.ts", "tsconfig.json".*--force/);
    assert.deepEqual((await readdir(folder.path)).sort(), ["plugins", "tsconfig.json"]);
    assert.equal(await readFile(join(folder.path, "plugins/ntfy.ts"), "utf8"), "mine");

    assert.equal((await mlmon(["init", "--force"], { cwd: folder.path })).status, 0);
    assert.match(await readFile(join(folder.path, "plugins/ntfy.ts"), "utf8"), /defineHttpSink/);
  });

  it("writes only the types with --types, in a state folder that is its owner's alone", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "mlmon.config.ts"), "mine");
    const { status, stdout } = await mlmon(["init", "--types", "--json"], { cwd: folder.path });
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), { written: [".mlmon/types/"] });
    assert.deepEqual((await readdir(folder.path)).sort(), [".mlmon", "mlmon.config.ts"]);
    assert.equal((await stat(join(folder.path, ".mlmon"))).mode & 0o777, 0o700);
  });

  it("says in one sentence when the folder cannot be written", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "plugins"), "a file where the folder would be");
    const { status, stderr } = await mlmon(["init"], { cwd: folder.path });
    assert.equal(status, 1);
    assert.match(stderr, /^mlmon: Cannot write ".*ntfy\.ts": E\w+\. Run mlmon init in/);
  });
});

const page = `import { Hono } from "hono";
import { defineSink, type Sample } from "mlmon";
import { renderExposition } from "mlmon/prometheus";
import * as v from "valibot";
export const page = defineSink("page", v.strictObject({ path: v.string() }), ({ path }) => ({
  consumes: "latest",
  render: ({ samples }) => [renderExposition(samples, { format: "text" })],
  deliver: async () => ({ kind: "delivered" }),
  serve: (app: Hono) => void app.get(path, (c) => c.html(<p>Hello</p>)),
}));
export const names = (samples: readonly Sample[]) => samples.map(({ name }) => name);
`;

/** What tsc reports for the folder, one line an error. */
async function typeErrors(folder: string): Promise<string[]> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const output = await execute("node", [tsc, "-p", folder], { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  return output.split("\n").filter((line) => /error TS\d+/.test(line));
}

async function replace(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, "utf8");
  assert.ok(text.includes(from), `${path} holds ${from}`);
  await writeFile(path, text.replace(from, to));
}
