import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { readFile, rm, truncate } from "node:fs/promises";
import { createServer, get, type Server } from "node:http";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runtime } from "../../src/runtime/runtime.ts";
import { freePort, until } from "../beds/wait.ts";
import { config, folderWith } from "./fixed-samples.ts";
import { mlmon, mlmonWords } from "./mlmon.ts";
import { expectTidy } from "./wrong-use-world.ts";

const commands = [
  "run",
  "continuous",
  "export-once",
  "dry-run",
  "validate",
  "doctor",
  "backfill",
  "queue",
  "generate-sample",
  "init",
  "health",
] as const;

describe("mlmon itself", () => {
  it("prints its version alone", async () => {
    await using folder = await folderWith({});
    const manifest = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8"));
    for (const word of ["--version", "-v", "version"]) {
      const ended = await mlmon([word], { cwd: folder.path });
      assert.deepEqual(ended, { status: 0, stdout: `${manifest.version}\n`, stderr: "" });
    }
  });

  it("lists every command when asked for help or nothing", async () => {
    await using folder = await folderWith({});
    for (const words of [[], ["--help"], ["-h"], ["help"]]) {
      const { status, stdout, stderr } = await mlmon(words, { cwd: folder.path });
      assert.deepEqual([status, stderr], [0, ""]);
      for (const name of commands) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    }
  });

  // Deno never says that a write to stdout has failed.
  const full = existsSync("/dev/full");
  const itSaysSo = runtime === "deno" ? () => {} : it;
  itSaysSo("ends with 1 and one line when its result cannot be written", { skip: !full }, async () => {
    const recorded = `${JSON.stringify({ name: "loss", value: 1, time: 5 })}\n`;
    await using folder = await folderWith({ "mlmon.config.ts": config("prometheus()"), "samples.ndjson": recorded });
    const file = openSync("/dev/full", "w");
    for (const line of ["--version", "validate", "dry-run --input samples.ndjson --raw"]) {
      const { status, stderr } = spawnSync(process.execPath, mlmonWords(line.split(" ")), {
        cwd: folder.path,
        stdio: ["ignore", file, "pipe"],
        encoding: "utf8",
      });
      assert.deepEqual([status, stderr], [1, "mlmon: Cannot write the result: the disk is full\n"], line);
    }
    closeSync(file);
  });

  for (const name of commands) {
    it(`shows the flags of ${name} and does nothing else`, async () => {
      await using folder = await folderWith({});
      const { status, stdout, stderr } = await mlmon([name, "--help"], { cwd: folder.path });
      assert.deepEqual([status, stderr], [0, ""]);
      assert.match(stdout, /^ {2}--log-level LEVEL +debug, /m);
    });
  }
});

describe("a terminal", { skip: spawnSync("script", ["--version"]).status !== 0 }, () => {
  /** The lines that stand on a terminal of 60 columns, with its orders. */
  function shown(line: string, cwd: string): readonly string[] {
    const command = [process.execPath, ...mlmonWords(line.split(" "))].map((word) => `'${word}'`).join(" ");
    return String(spawnSync("script", ["-qec", `stty cols 60; ${command}`, "/dev/null"], { cwd }).stdout).split("\r\n");
  }

  it("shows what is logged, and why it ends, not behind the progress but over it", async () => {
    const source = `const busy = defineSource("busy", v.strictObject({}), () => ({
  async *read({ progress, log }) {
    for (const word of ["look", "gone"]) {
      progress({ done: 1, total: 9, unit: "runs" });
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (word === "gone") throw new Error(word);
      log.warn(word);
    }
  },
}));`;
    const text = config("prometheus()", source).replace("three()]", "busy()]");
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const lines = shown("dry-run", folder.path);
    const orders = "\r\u001b[K";
    for (const word of ["look", "gone"]) {
      const line = lines.find((each) => each.includes(word)) ?? "";
      assert.match(line, /busy: 1 of 9 runs/, JSON.stringify(lines));
      assert.match(line.slice(line.lastIndexOf(orders) + orders.length), /^(20|mlmon: )/, JSON.stringify(line));
    }
  });

  for (const line of ["--help", "queue drop --help"]) {
    it(`has room for: mlmon ${line}`, async () => {
      await using folder = await folderWith({});
      const lines = shown(line, folder.path);
      assert.ok(lines.length > 10, lines.join("\n"));
      assert.deepEqual(
        lines.filter((text) => text.length > 60 || text.includes("\\u") || text.includes("\u001b")),
        [],
      );
    });
  }
});

describe("mlmon validate", () => {
  it("says what a good configuration holds, as JSON for machines", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": config("prometheus()") });
    const text = await mlmon(["validate"], { cwd: folder.path });
    const sentence = 'The configuration "mlmon.config.ts" is valid: sources three; sinks prometheus\n';
    assert.deepEqual(text, { status: 0, stdout: sentence, stderr: "" });
    const { status, stdout } = await mlmon(["validate", "--json"], { cwd: folder.path });
    const parts = { sources: ["three"], transforms: [], sinks: ["prometheus"] };
    assert.deepEqual(
      [status, JSON.parse(stdout)],
      [0, { valid: true, config: "mlmon.config.ts", ...parts, warnings: [] }],
    );
  });

  it("warns of an unset secret, in JSON logs too", async () => {
    const text = config(
      `pramathus({ endpoint: "http://localhost/", apiKey: secret.env("NOPE") })`,
      `import { secret } from "mlmon";`,
    );
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const { status, stderr } = await mlmon(["validate", "--log-format", "json"], { cwd: folder.path });
    assert.equal(status, 0);
    const { level, message } = JSON.parse(stderr);
    assert.deepEqual(
      [level, message],
      ["warn", 'sinks[0].apiKey: The secret "NOPE" is not set: export the variable NOPE'],
    );
  });

  it("ends although the configuration has left a timer running", async () => {
    const text = `setInterval(() => {}, 1000);${config("prometheus()")}`;
    await using folder = await folderWith({ "mlmon.config.ts": text });
    assert.equal((await mlmon(["validate"], { cwd: folder.path })).status, 0);
  });

  it("can be ended while the configuration computes for ever", async () => {
    const text = `console.error("at work"); for (;;);`;
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const signal = AbortSignal.timeout(20_000);
    const ended = await mlmon(["validate"], {
      cwd: folder.path,
      onStarted(pid) {
        // The line above reaches us only at the end, so the signal is repeated until the process is gone.
        const timer = setInterval(() => {
          try {
            process.kill(pid, signal.aborted ? "SIGKILL" : "SIGTERM");
          } catch {
            clearInterval(timer);
          }
        }, 500);
      },
    });
    assert.ok(!signal.aborted);
    assert.notEqual(ended.status, 0);
  });
});

describe("mlmon export-once", () => {
  it("tells what it has done, as JSON for machines, and gives a sink up that is away", async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}/`;
    const text = config(`prometheus(), pramathus({ endpoint: "${endpoint}" })`);
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const plain = await mlmon(["export-once", "--timeout", "1s"], { cwd: folder.path });
    assert.equal(plain.status, 1, plain.stderr);
    assert.match(
      plain.stdout,
      /^3 samples read; ended after \d+\.\d s\npramathus: 0 delivered, 3 not delivered \(.+\)\n$/,
    );
    expectTidy(plain);
    const { status, stdout } = await mlmon(["export-once", "--json", "--timeout", "1s"], { cwd: folder.path });
    const result = JSON.parse(stdout);
    assert.deepEqual([status, result.read, result.filtered], [1, 3, 0]);
    // Nobody reads the page of a program that ends.
    assert.equal(result.sinks.length, 1);
    const [dead] = result.sinks;
    assert.deepEqual([dead.id, dead.delivered, dead.deadLetters, dead.waiting], ["pramathus", 0, 0, 3]);
    assert.equal(typeof dead.error, "string");
  });

  it("keeps what the configuration prints out of its own result", async () => {
    const text = config("prometheus()", `console.log("hello from the configuration");`);
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const { stdout, stderr } = await mlmon(["export-once", "--json"], { cwd: folder.path });
    assert.equal(JSON.parse(stdout).read, 3);
    assert.match(stderr, /^hello from the configuration$/m);
  });

  it("says that nothing is delivered when every sink is scraped", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": config("prometheus()") });
    const { status, stdout, stderr } = await mlmon(["export-once"], { cwd: folder.path });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^3 samples read; ended after .* s\n$/);
    assert.match(stderr, /Nothing is delivered: every sink is scraped/);
  });

  it("keeps with --state what a sink that is away has not got, and delivers it the next time", async () => {
    const port = await freePort();
    const text = config(`pramathus({ endpoint: "http://127.0.0.1:${port}/" })`);
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const words = ["export-once", "--state", "kept", "--timeout", "1s"];
    const first = await mlmon(words, { cwd: folder.path });
    assert.equal(first.status, 1, first.stderr);
    assert.match(first.stdout, /pramathus: 0 delivered, 3 not delivered and kept \(/);

    const bodies: string[] = [];
    const server = await receiver(port, bodies);
    const second = await mlmon(words, { cwd: folder.path });
    server.close();
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stdout, /^0 samples read; .*\npramathus: 3 delivered\n$/);
    assert.equal(bodies.length, 1);
  });

  it("ends with 1 when a sample is refused for good", async () => {
    const server = await receiver(0, [], 400);
    const text = config(`pramathus({ endpoint: "http://127.0.0.1:${portOf(server)}/" })`);
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const { status, stdout } = await mlmon(["export-once"], { cwd: folder.path });
    server.close();
    assert.equal(status, 1);
    assert.match(stdout, /pramathus: 0 delivered, 3 refused for good\n/);
  });

  it("says that a journal is damaged, and leaves it as it is", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": config("prometheus()") });
    assert.equal((await mlmon(["export-once", "--state", "kept"], { cwd: folder.path })).status, 0);
    const path = join(folder.path, "kept/journal.db");
    await truncate(path, 5000);
    const damaged = await readFile(path);
    const ended = await mlmon(["export-once", "--state", "kept"], { cwd: folder.path });
    assert.equal(ended.status, 1);
    assert.match(
      ended.stderr,
      /^mlmon: Cannot read the journal ".*kept\/journal\.db" as it is damaged: .*Move it away.*\n$/,
    );
    assert.equal(ended.stdout, "");
    assert.deepEqual(await readFile(path), damaged);
    expectTidy(ended);
  });
});

describe("mlmon run", () => {
  it("stays while MLflow is away, is alive but not ready, holds its folder alone, and ends with 0", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const away = { MLFLOW_TRACKING_URI: `http://me:hunter2hunter2@127.0.0.1:${await freePort()}` };
    await using folder = await folderWith({});
    let pid = 0;
    const running = mlmon(["run", "--listen", listen], {
      cwd: folder.path,
      env: away,
      onStarted: (child) => (pid = child),
    });
    try {
      const reason = await until(async () => {
        const { sources } = await (await fetch(`http://${listen}/api/v1/status`)).json();
        return sources[0].lastError?.reason;
      });
      assert.match(reason, /^Cannot use MLflow at http:\/\/127\.0\.0\.1:\d+ as connection refused/);
      assert.equal((await fetch(`http://${listen}/-/healthy`)).status, 200);
      const ready = await fetch(`http://${listen}/-/ready`);
      assert.equal(ready.status, 503);
      assert.match(await ready.text(), /^not ready\nsource "mlflow": no success yet/);
      assert.equal(await statusUnder("evil.example", `http://${listen}/`), 403);
      assert.equal(await statusUnder("localhost:9890", `http://${listen}/`), 200);

      const second = await mlmon(["export-once", "--state", ".mlmon"], { cwd: folder.path, env: away });
      assert.equal(second.status, 1);
      assert.match(
        second.stderr,
        /^mlmon: Cannot use the state folder ".*\.mlmon" as another mlmon uses it: process \d+\. Stop that one/,
      );
      expectTidy(second);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    const ended = await running;
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stderr, /INFO {2}mlmon runs .*\n(.*\n)*.*INFO {2}mlmon has stopped\n$/);
    expectTidy(ended);
  });

  it("says to those without the token who is not ready, and why only to the others", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const env = { MLFLOW_TRACKING_URI: `http://127.0.0.1:${await freePort()}`, MLMON_TOKEN: "correct horse" };
    await using folder = await folderWith({});
    let pid = 0;
    const running = mlmon(["run", "--listen", listen], { cwd: folder.path, env, onStarted: (child) => (pid = child) });
    const ask = async (headers = {}) => (await fetch(`http://${listen}/-/ready`, { headers })).text();
    const authorization = "Bearer correct horse";
    try {
      await until(async () => /\(Cannot use MLflow/.test(await ask({ authorization }).catch(() => "")));
      assert.match(await ask(), /^not ready\nsource "mlflow": no success yet, \d+ s after the start\n$/);
      await rm(join(folder.path, ".mlmon"), { recursive: true });
      await until(async () => /^warning: The state folder ".*" was removed/m.test(await ask({ authorization })));
      assert.match(await ask(), /^warning: The state folder was removed/m);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    await running;
  });

  it("tells a failure that a plugin's timer throws, goes on, and ends with 1", async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    const text = config("prometheus()", `setTimeout(() => { throw new Error("in a timer"); }, 300);`);
    await using folder = await folderWith({ "mlmon.config.ts": text });
    let pid = 0;
    const running = mlmon(["run", "--listen", listen], {
      cwd: folder.path,
      onStarted: (child) => (pid = child),
    });
    const startedAt = Date.now();
    await until(async () => (await fetch(`http://${listen}/-/healthy`)).ok && Date.now() - startedAt > 1500);
    process.kill(pid, "SIGTERM");
    const ended = await running;
    assert.match(ended.stderr, /^mlmon: something failed that nobody waits for: .*in a timer$/m);
    assert.match(ended.stderr, /mlmon has stopped\n$/);
    assert.equal(ended.status, 1);
    expectTidy(ended);
  });
});

/** What is answered to a request with another Host header, which fetch does not let through everywhere. */
async function statusUnder(host: string, url: string): Promise<number | undefined> {
  const [answer] = await once(get(url, { headers: { host } }), "response");
  answer.resume();
  return answer.statusCode;
}

async function receiver(port: number, bodies: string[], status = 200): Promise<Server> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    bodies.push(body);
    response.writeHead(status, { connection: "close" }).end("{}");
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}
