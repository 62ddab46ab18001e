import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/model/errors.ts";
import { guardLoop } from "../../src/runtime/guard-loop.ts";
import { runtime } from "../../src/runtime/runtime.ts";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { mlmon } from "../commands/mlmon.ts";

const timeout = 60_000;
const head = `import { mlflow } from "mlmon"; import { prometheus } from "mlmon/plugins/prometheus";\n`;
const sinks = "sinks: [prometheus()]";
const trap = "() => { throw new Error('no trap'); }";

/** With more of them Deno's own parser overflows the stack of the process, which nothing in it can mend. */
const brackets = runtime === "deno" ? 200 : 200_000;

/** File name, text, and what is said of it. */
const cases: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  [
    "never-a.ts",
    "await new Promise(() => {}); export default {};",
    /a top-level await in it has not settled within 1 s$/,
  ],
  ["never-b.ts", "export default { then() {} };", /its promise has not settled within 1 s$/],
  [
    "generator.ts",
    `${head}function* g() { for (;;) yield 1; } export default { sources: [mlflow({ experiments: g() })], ${sinks} };`,
    /configuration/,
  ],
  ["list.ts", `${head}function* g() { for (;;) yield 1; } export default { sources: g(), ${sinks} };`, /configuration/],
  ["proxy.ts", `export default new Proxy({}, { get: ${trap} });`, /it failed: (line 1: )?no trap$/],
  [
    "traps.ts",
    `export default new Proxy({}, { has: ${trap}, ownKeys: ${trap}, getOwnPropertyDescriptor: ${trap} });`,
    /configuration/,
  ],
  ["entry.ts", `${head}export default { sources: [new Proxy({}, { get: ${trap} })], ${sinks} };`, /configuration/],
  [
    "getter.ts",
    `${head}export default { get sources() { throw new Error("no list"); }, ${sinks} };`,
    /it failed: line 2: no list$/,
  ],
  [
    "option.ts",
    `${head}export default { sources: [mlflow({ get trackingUri() { throw new Error("no uri"); } })], ${sinks} };`,
    /it failed: line \d: no uri$/,
  ],
  [
    "proto.ts",
    `export default JSON.parse('{"__proto__": {"polluted": 1}, "sources": [], "sinks": []}');`,
    /configuration/,
  ],
  ["circular.ts", `import "./circular-b.ts"; export const a = 1; export default {};`, /circular-b\.ts/],
  [
    "self.ts",
    "const c: any = { sources: [], sinks: [] }; c.sinks.push(c); c.self = c; export default c;",
    /configuration/,
  ],
  [
    "deep.ts",
    `${head}let d: any = {}; const top = d; for (let i = 0; i < 1e6; i++) d = d.x = {}; export default { sources: [mlflow({ experiments: top })], ${sinks} };`,
    /configuration/,
  ],
  ["brackets.ts", `export default ${"[".repeat(brackets)}`, /configuration/],
  [
    "reject.ts",
    `export default Promise.reject({ get message() { throw new Error("x"); } });`,
    /it threw an object that cannot be read$/,
  ],
  [
    "large.ts",
    `${head}export default { sources: [mlflow({ trackingUri: "x".repeat(5e7) })], ${sinks} };`,
    /configuration/,
  ],
  ["aliases.yaml", aliases(), /Excessive alias count/],
  ["deep.yaml", `mlflow: ${"[".repeat(100_000)}`, /it is not YAML/],
  ["large.yaml", "x".repeat(50_000_000), /it is larger than 256 KiB$/],
  ["itself.yaml", "mlflow: &m { tracking_uri: *m }", /configuration/],
];

/** Nine lines of nine aliases each: a billion words when written out. */
function aliases(): string {
  const lines = Array.from({ length: 9 }, (_, index) => {
    const word = index === 0 ? '"x"' : `*a${index - 1}`;
    return `a${index}: &a${index} [${Array.from({ length: 9 }, () => word).join()}]`;
  });
  return lines.join("\n");
}

describe("a hostile configuration", { timeout }, () => {
  for (const [name, text, says] of cases) {
    it(`is refused in few words and little time: ${name}`, async () => {
      await using folder = await temporaryFolder();
      await writeFile(join(folder.path, name), text);
      await writeFile(join(folder.path, "circular-b.ts"), `import { a } from "./circular.ts"; export const b = a + 1;`);
      const started = performance.now();
      const loading = loadConfig({ file: name, cwd: folder.path, env: {}, secrets: "warn", patienceMs: 1000 });
      await assert.rejects(loading, (error: unknown) => {
        assert.ok(error instanceof ConfigError, String(error));
        assert.match(error.message, says);
        const words = [error.message, ...error.issues.map(({ message }) => message)].join("\n");
        assert.ok(words.length < 1500, words.slice(0, 2000));
        assert.doesNotMatch(words, /\n\s+at /);
        return true;
      });
      assert.ok(performance.now() - started < 10_000);
      assert.equal(Reflect.get({}, "polluted"), undefined);
    });
  }

  it("has no effect on other objects by keys such as __proto__, in YAML either", async () => {
    await using folder = await temporaryFolder();
    const text = `__proto__: { trackingUri: "http://evil", x: 1 }
mlflow: { __proto__: { tracking_uri: "http://evil" }, tracking_uri: "http://good" }
constructor: 5
toString: { a: 1 }`;
    await writeFile(join(folder.path, "c.yaml"), text);
    const { warnings } = await loadConfig({ file: "c.yaml", cwd: folder.path, env: {}, secrets: "warn" });
    const named = warnings.map((warning) => warning.split(" ")[0]);
    assert.deepEqual(named, [
      "__proto__.trackingUri:",
      "__proto__.x:",
      "mlflow.__proto__:",
      "constructor:",
      "toString.a:",
    ]);
    assert.equal(Reflect.get({}, "x"), undefined);
    for (const warning of warnings) assert.ok(warning.length < 200, warning);
  });

  it("that is a pipe to which nobody writes is refused at once", { skip: process.platform === "win32" }, async () => {
    await using folder = await temporaryFolder();
    for (const name of ["pipe.ts", "pipe.yaml"]) {
      execFileSync("mkfifo", [join(folder.path, name)]);
      const { status, stderr } = await mlmon(["validate", "--config", name], { cwd: folder.path });
      assert.equal(stderr, `mlmon: Cannot read the configuration "${name}": it is no plain file\n`);
      assert.equal(status, 2);
    }
  });

  it("of 50 MB is read", async () => {
    await using folder = await temporaryFolder();
    const good = `${head}export default { sources: [mlflow({ trackingUri: "http://x" })], ${sinks} };`;
    await writeFile(join(folder.path, "mlmon.config.ts"), `${good}\n/*${"x".repeat(50_000_000)}*/`);
    assert.equal((await mlmon(["validate"], { cwd: folder.path })).status, 0);
  });

  it("that loops for ever ends the process, which says so", async () => {
    await using folder = await temporaryFolder();
    const loops = [
      "for (;;) {} export default {};",
      "const t = { then(f: any) { f(t); } }; export default t;",
      "export default { sources: [], sinks: new Array(4e9) };",
    ];
    await Promise.all(
      loops.map(async (text, index) => {
        await writeFile(join(folder.path, `loop-${index}.ts`), text);
        const { signal, stderr } = await load(folder.path, `loop-${index}.ts`);
        assert.equal(signal, "SIGKILL");
        assert.match(
          stderr,
          /^mlmon: Cannot read the configuration "loop-\d\.ts": it has not given back control for 0\.6 s, as an endless loop would\n$/,
        );
      }),
    );
  });

  it("changes nothing of a running mlmon", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "mlmon.config.ts");
    const good = `import { defineSource, v } from "mlmon"; import { prometheus } from "mlmon/plugins/prometheus";
const idle = defineSource("idle", v.strictObject({}), () => ({
  async *read({ signal, polled }) {
    polled({ ok: true, nextMs: 1000 });
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
}));
export default { sources: [idle()], sinks: [prometheus()] };`;
    await writeFile(file, good);
    const url = `http://127.0.0.1:${await freePort()}`;
    let pid = 0;
    const onStarted = (child: number) => (pid = child);
    const ended = mlmon(["run", "--listen", new URL(url).host], { cwd: folder.path, onStarted });
    try {
      await until(async () => (await fetch(`${url}/-/healthy`)).ok);
      for (const name of ["proxy.ts", "getter.ts", "option.ts", "deep.ts", "reject.ts", "self.ts"]) {
        const [, text = "", says] = cases.find(([each]) => each === name) ?? [];
        await writeFile(file, text);
        const answer = await fetch(`${url}/-/reload`, { method: "POST" });
        assert.equal(answer.status, 400, name);
        assert.match((await answer.text()).trim(), says && name !== "self.ts" ? says : /configuration/);
        const { sinks, reload } = JSON.parse(await (await fetch(`${url}/api/v1/status`)).text());
        assert.deepEqual([sinks.length, reload.successful], [1, false], name);
      }
      await writeFile(file, good);
      assert.equal((await fetch(`${url}/-/reload`, { method: "POST" })).status, 200);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    const { status, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /\n\s+at |this is a bug/);
  });

  it("is not taken for one that loops while it waits", async () => {
    const waiting = () => new Promise((resolve) => setTimeout(resolve, 1500, "done"));
    assert.equal(await guardLoop(waiting, { patienceMs: 300, words: "wrong" }), "done");
  });
});

/** Loads a configuration in a process of its own, and tells how that ended. */
async function load(folder: string, file: string): Promise<{ signal: unknown; stderr: string }> {
  const child = join(import.meta.dirname, "load-config.ts");
  const words = runtime === "deno" ? ["run", "-A", "--no-check", child] : [child];
  return new Promise((resolve) => {
    execFile(process.execPath, [...words, folder, file], { timeout: 20_000 }, (error, _, stderr) => {
      resolve({ signal: error?.signal, stderr });
    });
  });
}
