import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { extraPackages, mlflowKind, startMlflow } from "./mlflow-kind.ts";

/** What the tests can ask for; `skip` is false, or why it cannot be had as one line, and then the rest is empty. */
export interface Beds {
  /** One real MLflow server, shared by all tests: each makes its own experiment. `mlflow-kind.ts` says which. */
  readonly mlflow: { skip: false | string; url: string; python: string; stop(): Promise<void> };
  /** The folder with `prometheus`, `promtool`, `pushgateway`, `victoria-metrics` and others; start them by `servers.ts`. */
  readonly servers: { skip: false | string; bin: string };
  /** The same under the name of its first program. */
  readonly prometheus: Beds["servers"];
  /**
   * A Docker engine. `env` makes the `docker` command talk to it. Where there is none, one of its own is started, which
   * has no registry: then `standIn` makes an image under an official tag. The caller calls `down()`.
   */
  readonly docker: {
    skip: false | string;
    env: Readonly<Record<string, string>>;
    standIn?: (name: string, tag: string) => Promise<void>;
    down(): Promise<void>;
  };
}

/**
 * Gives a test file the real servers it needs, fetched into the cache at the first call ever. Called at the top level:
 * `const mlflow = await bed("mlflow"); describe("…", { skip: mlflow.skip }, …)`. What cannot be had is named on stderr;
 * with `MLMON_BEDS_REQUIRED=1` it is an exception instead, unless `MLMON_SKIP_<NAME>` gives the reason beforehand.
 */
export function bed<Name extends keyof Beds>(name: Name): Promise<Beds[Name]> {
  return makers[name]();
}

const makers: { readonly [Name in keyof Beds]: () => Promise<Beds[Name]> } = {
  mlflow: once(mlflow),
  servers: once(servers),
  prometheus: () => bed("servers"),
  docker,
};

const execute = promisify(execFile);

async function mlflow(): Promise<Beds["mlflow"]> {
  const kind = mlflowKind();
  const found = await fetched("mlflow", "mlflow.sh", [kind.version, ...extraPackages(kind)]);
  if ("skip" in found) return { ...found, url: "", python: "", stop: async () => {} };
  const [venv = "", extra] = found.path.split("\n");
  const python = join(venv, "bin/python");
  // scripts/test.js starts one server for all its runners.
  const given = process.env.MLMON_TEST_MLFLOW;
  if (given) return { skip: false, url: given, python, stop: async () => {} };
  return { skip: false, python, ...(await startMlflow(venv, kind, extra)) };
}

async function servers(): Promise<Beds["servers"]> {
  const found = await fetched("servers", "servers.sh");
  return "skip" in found ? { ...found, bin: "" } : { skip: false, bin: found.path };
}

async function docker(): Promise<Beds["docker"]> {
  const running = await execute("docker", ["info"]).catch(() => undefined);
  if (running) return { skip: false, env: {}, down: async () => {} };
  const found = await fetched("docker", "docker/up.sh");
  if ("skip" in found) return { ...found, env: {}, down: async () => {} };
  const lines = (await readFile(found.path, "utf8")).matchAll(/(\w+)=(\S+)/g);
  const set = Object.fromEntries([...lines].map(([, name = "", value = ""]) => [name, value]));
  const env = { ...set, PATH: (set.PATH ?? "").replace("$PATH", process.env.PATH ?? "") };
  return {
    skip: false,
    env,
    standIn: async (name, tag) => {
      await execute(script("docker/standin.sh"), [name, tag], { env: { ...process.env, ...env, BUN: bun } });
    },
    down: async () => {
      await execute(script("docker/down.sh"));
    },
  };
}

const bun = join(import.meta.dirname, "../../node_modules/bun/bin/bun.exe");

/** Runs a script that fetches a bed: the path it prints, or the line by which it says why not. */
async function fetched(
  bedName: keyof Beds,
  file: string,
  args: readonly string[] = [],
): Promise<{ path: string } | { skip: string }> {
  // Set by scripts/test.js, which has tried already, or by whoever knows that it cannot be had.
  const known = process.env[`MLMON_SKIP_${bedName.toUpperCase()}`];
  if (known) return lacking(known);
  try {
    const run = execute(script(file), args, { maxBuffer: 16 * 1024 ** 2 });
    run.child.stderr?.on("data", (text) => process.stderr.write(text));
    return { path: (await run).stdout.trim() };
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    const reason = said.split("\n").at(-1) || String(error);
    if (process.env.MLMON_BEDS_REQUIRED === "1") throw new Error(`Required for the tests: ${reason}`);
    return lacking(reason);
  }
}

function lacking(reason: string): { skip: string } {
  process.stderr.write(`SKIPPED for want of a bed: ${reason}\n`);
  return { skip: reason };
}

function script(name: string): string {
  return join(import.meta.dirname, name);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
