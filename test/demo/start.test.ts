import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";

const script = join(import.meta.dirname, "../../scripts/start.js");

interface Shown {
  readonly sinks: readonly { readonly id: string; readonly delivered: number; readonly lastError?: object }[];
}

describe("npm start", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    temporary = await temporaryFolder();
  });
  after(() => temporary.remove());

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`shows changing numbers, delivers to all sinks, and leaves nothing behind at ${signal}`, async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const started = start({ MLMON_LISTEN: `127.0.0.1:${port}`, TMPDIR: folder(temporary.path, signal) });
      let family: readonly number[] = [];
      try {
        await until(() => accuracies(url), 60_000);
        const seen = new Map<string, string>();
        // A value of a series that was there before: that others appear is only the first sync.
        await until(async () => {
          const now = [...((await accuracies(url)) ?? [])];
          for (const [series, value] of now) if (!seen.has(series)) seen.set(series, value);
          return now.some(([series, value]) => seen.get(series) !== value);
        });
        await until(async () => {
          const { sinks } = (await (await fetch(`${url}/api/v1/status`)).json()) as Shown;
          const ids = sinks.map(({ id }) => id);
          assert.deepEqual(ids, ["prometheus", "pushgateway", "pramathus"]);
          return sinks.every(({ delivered, lastError }) => delivered > 0 && !lastError);
        });
        const page = await (await fetch(`${url}/`)).text();
        for (const id of ["prometheus", "pushgateway", "pramathus"]) assert.ok(page.includes(id), id);
        for (const name of ["Experiments", "Runs"]) assert.match(page, new RegExp(`<dt>${name}</dt><dd>[1-9]`));
        assert.equal(page.match(/<p class="soft">To http:\/\/127\.0\.0\.1:/g)?.length, 2);
        assert.match(started.stdout(), new RegExp(`Status page +${url}/\n +Metrics +${url}/metrics\n`));
        const received = await fetch(/What was received (\S+)/.exec(started.stdout())?.[1] ?? "");
        const { pramathus, pushgateway } = (await received.json()) as Record<string, { refused: number }>;
        assert.deepEqual([pramathus?.refused, pushgateway?.refused], [0, 0]);
        const [, trackingUri = ""] = /small MLflow at (\S+);/.exec(started.stdout()) ?? [];
        assert.match(await (await fetch(trackingUri)).text(), /^A simulated MLflow /);
        family = descendants(started.pid);
        assert.ok(family.length > 0);
      } finally {
        process.kill(started.pid, signal);
        assert.equal(await started.ended, 0);
      }
      assert.equal(started.stderr(), "");
      assert.match(
        started.stdout(),
        /\nEverything has ended\. For your own MLflow: MLFLOW_TRACKING_URI=\S+ npx bun .* run\n$/,
      );
      await assert.rejects(fetch(url));
      assert.deepEqual(family.filter(isAlive), []);
      assert.deepEqual(readdirSync(folder(temporary.path, signal)), []);
    });
  }

  it("does not send to itself through a proxy that the environment names", async () => {
    const port = await freePort();
    const proxy = `http://127.0.0.1:${await freePort()}`;
    const started = start({
      ...{ MLMON_LISTEN: `127.0.0.1:${port}`, HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: "", no_proxy: "" },
    });
    try {
      await until(() => started.stdout().includes("mlmon runs"), 60_000);
    } finally {
      process.kill(started.pid, "SIGINT");
      assert.equal(await started.ended, 0);
    }
  });

  const mistakes = [
    { args: ["--listen", "0.0.0.0:0"], status: 2, said: /server\.listen: .*MLMON_TOKEN/ },
    { args: ["--listen=nonsense"], status: 2, said: /Cannot listen on "nonsense": expected host:port/ },
    { args: ["--listen="], status: 2, said: /"--listen" needs a value/ },
    { args: ["--lisen", "127.0.0.1:0"], status: 2, said: /--listen/ },
    { args: ["--config", "there-is-none.ts"], status: 2, said: /there-is-none\.ts/ },
  ];
  for (const { args, status, said } of mistakes) {
    it(`ends with status ${status} and one clear message at ${args.join(" ")}`, async () => {
      const started = start({}, args);
      assert.equal(await started.ended, status);
      assert.match(started.stderr(), said);
      assert.doesNotMatch(started.stderr(), /^ +at /m);
    });
  }

  it("ends with status 1 when the port that was asked for is in use, and leaves nothing behind", async () => {
    const first = start({ MLMON_LISTEN: "127.0.0.1:0" });
    try {
      const place = await until(() => /Status page +http:\/\/(\S+)\//.exec(first.stdout())?.[1], 60_000);
      const TMPDIR = folder(temporary.path, "second");
      const second = start({ TMPDIR }, ["--listen", place]);
      assert.equal(await second.ended, 1);
      assert.match(
        second.stderr(),
        /^mlmon: Cannot listen on .*: the port is in use; choose another one with --listen/,
      );
      assert.deepEqual(readdirSync(TMPDIR), []);
    } finally {
      process.kill(first.pid, "SIGINT");
      assert.equal(await first.ended, 0);
    }
  });
});

function start(env: Record<string, string>, args: readonly string[] = []) {
  const { MLMON_LISTEN: _, MLMON_TOKEN: __, ...own } = process.env;
  const child = spawn("node", [script, ...args], { env: { ...own, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  // Signalled by its number: after child.kill() Deno gives no status.
  if (child.pid === undefined) throw new Error("Cannot start node");
  return { pid: child.pid, ended, stdout: () => stdout, stderr: () => stderr };
}

/** The values of one metric on the page by series, once there are any. */
async function accuracies(url: string): Promise<ReadonlyMap<string, string> | undefined> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const lines = [...page.matchAll(/^(mlflow_accuracy\{.*\}) (\S+)$/gm)];
  return lines.length > 0 ? new Map(lines.map(([, series = "", value = ""]) => [series, value])) : undefined;
}

function descendants(pid: number): readonly number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.flatMap(([own = 0, above]) => (above === parent ? [own, ...below(own)] : []));
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function folder(parent: string, name: string): string {
  const path = join(parent, name);
  mkdirSync(path, { recursive: true });
  return path;
}
