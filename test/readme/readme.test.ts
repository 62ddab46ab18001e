import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { console } from "../../plugins/console.ts";
import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { loadConfig } from "../../src/config/load.ts";
import { yamlSettings } from "../../src/config/yaml.ts";
import { mlflow } from "../../src/mlflow/mlflow.ts";
import type { Issue } from "../../src/model/errors.ts";
import { ownSeries } from "../../src/server/own-series.ts";
import { bed } from "../beds/bed.ts";
import { startPrometheus } from "../beds/servers.ts";
import { freePort, until } from "../beds/wait.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const binary = join(root, "dist/mlmon");
const server = await bed("mlflow");
const servers = await bed("servers");
const skip = server.skip || (existsSync(binary) ? false : "dist/mlmon is missing: npm run build");

/** Commands that another part of the gate runs, by the words they begin with. */
const elsewhere: Readonly<Record<string, string>> = {
  "npm start": "test/demo",
  "npm install": "scripts/test.js",
  "npm run build": "scripts/test.js",
  "npm run check": "scripts/test.js --quick is a part of scripts/test.js",
  "npm test": "scripts/test.js",
  "npm run bench": "bench/ by hand: no timed tests",
  "docker compose": "test/compose",
  "dist/mlmon --version": "test/commands",
  "export MLFLOW_TRACKING_URI": "the environment of this test",
  "kill -HUP": "mlmon run, below",
  "curl -X POST": "mlmon run, below",
  "docker build": "test/compose",
  "docker run": "test/compose builds the image; its words are checked below",
};

describe("the README", () => {
  const folder = mkdtempSync(join(tmpdir(), "mlmon-readme-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("shows no command that nothing runs", () => {
    const unknown = commands().filter((line) => !line.startsWith("mlmon ") && !coveredElsewhere(line));
    assert.deepEqual(unknown, []);
  });

  it("explains every series of mlmon's own", () => {
    const missing = ownSeries.map(({ name }) => name).filter((name) => !readme.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });

  it("names every command", () => {
    const cli = readFileSync(join(root, "src/cli.ts"), "utf8");
    const names = [...cli.matchAll(/import\("\.\/commands\/([\w-]+)\.ts"\)/g)].map(([, name = ""]) => name);
    assert.ok(names.length > 9);
    const missing = names.filter((name) => !readme.includes(`mlmon ${name.replace("queue-", "queue ")}`));
    assert.deepEqual(missing, []);
  });

  it("names every option of the source and of each sink", () => {
    const line = (start: string) =>
      readme
        .split("\n")
        .filter((each) => each.startsWith(start))
        .join();
    const sources = readme.slice(readme.indexOf("### Sources"), readme.indexOf("### Sinks"));
    const named: readonly (readonly [text: string, options: readonly string[]])[] = [
      [sources, mlflow().optionNames([])],
      [line("| `prometheus("), prometheus().optionNames([])],
      [line("| `pushgateway("), pushgateway({ endpoint: "http://x" }).optionNames([])],
      [line("| `pramathus("), pramathus({ endpoint: "http://x" }).optionNames([])],
      [line("| `console("), console().optionNames([])],
    ];
    for (const [text, options] of named) {
      assert.ok(options.length > 0);
      assert.deepEqual(
        options.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
        [],
      );
    }
  });

  it("shows a YAML file that is taken without a warning", async () => {
    const [text = ""] = blocks("yaml").filter((block) => block.startsWith("mlflow:"));
    const issues: Issue[] = [];
    const { warnings } = yamlSettings(text, "config.yaml", issues);
    assert.deepEqual({ warnings, issues }, { warnings: [], issues: [] });
  });

  it("shows a container whose environment is a configuration", async () => {
    const line = commands().find((each) => each.startsWith("docker run")) ?? "";
    const given = Object.fromEntries([...line.matchAll(/-e (\w+)=(\S+)/g)].map(([, name, value]) => [name, value]));
    const env = { MLMON_LISTEN: "0.0.0.0:9890", ...given };
    const { server: served, warnings } = await loadConfig({ cwd: folder, env, secrets: "ignore" });
    assert.equal(String(served.token), "<secret MLMON_TOKEN>");
    assert.deepEqual(warnings, []);
  });

  it("shows queries that Prometheus takes", { skip: servers.skip }, async () => {
    const scrapes = blocks("yaml").filter((block) => block.includes("targets:"));
    assert.equal(scrapes.length, 3);
    for (const scrape of scrapes) {
      const config = scrape.startsWith("scrape_configs") ? scrape : `scrape_configs:\n${scrape}`;
      const started = await startPrometheus({ config });
      try {
        for (const query of blocks("promql").flatMap((block) => block.trim().split("\n"))) {
          const answer = await fetch(`${started.url}/api/v1/query?query=${encodeURIComponent(query)}`);
          assert.equal(answer.status, 200, `${query}: ${await answer.text()}`);
        }
      } finally {
        await started.stop();
      }
    }
  });

  describe("commands", { skip }, () => {
    let env: NodeJS.ProcessEnv;
    let receiver: Receiver;
    after(() => receiver?.stop());
    before(async () => {
      receiver = await startReceiver();
      const path = `${folder}:${process.env.PATH}`;
      env = {
        ...process.env,
        PATH: path,
        MLFLOW_TRACKING_URI: server.url,
        PRAMATHUS_ENDPOINT: receiver.url,
        MLMON_LISTEN: `127.0.0.1:${await freePort()}`,
      };
      await run("ln", ["-s", binary, join(folder, "mlmon")]);
      await run(binary, ["generate-sample", "--runs", "2", "--steps", "3"], { cwd: folder, env });
      const record = {
        name: "loss",
        value: 0.5,
        time: 1_700_000_000_000,
        run: { id: "a", experiment: { id: "1", name: "e" } },
      };
      writeFileSync(join(folder, "samples.ndjson"), `${JSON.stringify(record)}\n`);
    });

    for (const line of new Set(commands().filter((line) => line.startsWith("mlmon ") && !/^mlmon run\b/.test(line)))) {
      it(`${line} works as pasted`, async () => {
        await run("sh", ["-c", line], { cwd: folder, env, maxBuffer: 64 * 1024 ** 2 });
      });
    }

    it("mlmon run serves the page that is shown, and is reloaded as shown", async () => {
      const child = spawn(binary, ["run"], { cwd: folder, env, stdio: "ignore" });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      try {
        const url = `http://${env.MLMON_LISTEN}/metrics`;
        const page = async () => (await fetch(url)).text();
        await until(async () => /^mlflow_accuracy\{/m.test(await page()));
        const loadedAt = async () =>
          /^mlmon_config_last_reload_success_timestamp_seconds (.*)$/m.exec(await page())?.[1];
        const reloads = commands().filter((line) => /^(kill -HUP|curl -X POST)/.test(line));
        assert.equal(reloads.length, 2);
        for (const line of reloads) {
          const before = await loadedAt();
          await run("sh", ["-c", line.replace("127.0.0.1:9890", env.MLMON_LISTEN ?? "")], { cwd: folder, env });
          await until(async () => (await loadedAt()) !== before);
        }
      } finally {
        // not child.kill(): Deno then gives no status
        if (child.pid) process.kill(child.pid, "SIGTERM");
        assert.equal(await ended, 0);
      }
    });
  });

  describe("TypeScript", { skip }, () => {
    for (const [index, code] of blocks("ts").entries()) {
      it(`block ${index + 1} is valid: ${code.split("\n")[0]}`, async () => {
        const isConfig = code.includes("export default");
        const text = isConfig ? code : `${code}${asConfig}`;
        const file = join(folder, `block-${index}.config.ts`);
        writeFileSync(file, text);
        const env = { ...process.env, PRAMATHUS_API_KEY: "abcdefgh" };
        await run(binary, ["validate", "--strict", "--config", file], { cwd: folder, env });
      });
    }
  });
});

const asConfig = `
import { defineConfig, mlflow } from "mlmon";
export default defineConfig({ sources: [mlflow()], sinks: [ntfy({ topic: "x" })] });
`;

function blocks(language: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code = ""]) => code);
}

function commands(): readonly string[] {
  return blocks("sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function coveredElsewhere(line: string): boolean {
  return Object.keys(elsewhere).some((words) => line.startsWith(words));
}
