import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { temporaryFolder } from "../beds/wait.ts";
import type { Ended, MlmonOptions } from "../commands/mlmon.ts";
import { expectRefusal, expectTidy, surroundings } from "../commands/wrong-use-world.ts";
import { configurations, failures, usages } from "../commands/wrong-uses.ts";

const binary = join(import.meta.dirname, "../../dist/mlmon");
const skip = existsSync(binary) ? false : "dist/mlmon is missing: npm run build";

const around = await surroundings();
after(() => around[Symbol.asyncDispose]());

/** Runs the binary with nothing in its environment but a path. */
function start(words: readonly string[], { cwd, env = {}, onStarted }: MlmonOptions, file = binary): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(file, words, { cwd, env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
    if (child.pid !== undefined) onStarted?.(child.pid);
  });
}

async function folderWith(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), text);
  }
  return folder;
}

describe("the binary, wrongly used", { skip }, () => {
  const some = [...usages.slice(0, 4), ...configurations, ...failures(around)];
  for (const use of some) {
    const words = use.words.join(" ").replace(around.taken, "HOST:PORT");
    it(`ends with ${use.status} and one message: ${use.name}: mlmon ${words}`, () => expectRefusal(start, use));
  }
});

describe("the binary in a folder without node_modules", { skip }, () => {
  const files = {
    "mlmon.config.ts": `import { mlflow } from "mlmon";
import { mine } from "./plugins/mine";
enum Most { series = 5 }
export default { sources: [mlflow()], sinks: [mine({ url: "http://localhost/" })], series: { max: Most.series } };`,
    "plugins/mine.ts": `import { defineHttpSink, type Sample, v } from "mlmon";
import { strictObject } from "valibot";
export const mine = defineHttpSink("mine", strictObject({ url: v.string() }), ({ url }) => ({
  render: ({ samples }) => samples.map(({ name }: Sample) => ({ method: "POST", url, body: name })),
}));`,
    "samples.ndjson": `{"name":"loss","value":1,"time":5}\n`,
  };

  it("loads a configuration and a plugin, previews it, and follows a change", async () => {
    await using folder = await folderWith(files);
    const valid = await start(["validate"], { cwd: folder.path });
    assert.deepEqual([valid.status, valid.stderr], [0, ""]);
    const preview = await start(["dry-run", "--input", "samples.ndjson", "--raw"], { cwd: folder.path });
    assert.deepEqual([preview.status, preview.stdout], [0, "loss"]);
    await writeFile(join(folder.path, "plugins/mine.ts"), files["plugins/mine.ts"].replace("body: name", 'body: "x"'));
    assert.equal((await start(["dry-run", "--input", "samples.ndjson", "--raw"], { cwd: folder.path })).stdout, "x");
  });

  it("works from another place than the one it was built in", async () => {
    await using folder = await folderWith(files);
    const copy = join(folder.path, "mlmon");
    await copyFile(binary, copy);
    const ended = await start(["validate"], { cwd: folder.path }, copy);
    assert.equal(ended.status, 0, ended.stderr);
  });

  it("names the file and the line of a plugin that throws, and nothing of itself", async () => {
    const broken = { ...files, "plugins/mine.ts": `export const mine = 5;\nthrow new Error("boom");` };
    await using folder = await folderWith(broken);
    const ended = await start(["validate"], { cwd: folder.path });
    assert.equal(ended.status, 2);
    assert.match(
      ended.stderr,
      /^mlmon: Cannot read the configuration "mlmon\.config\.ts": plugins\/mine\.ts line 2: boom\n$/,
    );
    expectTidy(ended);
  });

  it("runs no script of a bunfig.toml and takes no variable of a .env that lie in its folder", async () => {
    await using folder = await folderWith({
      "bunfig.toml": 'preload = ["./preload.ts"]\n[run]\nsilent = true\n',
      "preload.ts":
        'import { writeFileSync } from "node:fs"; writeFileSync("preloaded", ""); console.log("preloaded");',
      ".env": "MLMON_LISTEN=from-dotenv\nMLFLOW_TRACKING_URI=from-dotenv\n",
      ".env.local": "MLMON_LISTEN=from-dotenv\n",
    });
    const { status, stdout, stderr } = await start(["validate"], { cwd: folder.path });
    const sentence = 'The configuration "environment" is valid: sources mlflow; sinks prometheus\n';
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: sentence, stderr: "" });
    assert.ok(!existsSync(join(folder.path, "preloaded")));
  });
});
