import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Beds } from "../beds/bed.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** The real docker-compose.yml under a name and on ports of its own. */
export interface Stack {
  /** Addresses on this machine, without a slash at the end. */
  readonly urls: Readonly<Record<"mlflow" | "prometheus" | "pushgateway" | "pramathus" | "mlmon", string>>;
  /** `docker …` in the project's folder; resolves with stdout, rejects with what it printed. */
  docker(...args: string[]): Promise<string>;
  /** `docker compose …` of this stack. */
  compose(...args: string[]): Promise<string>;
  /** Makes the images that the engine cannot get from a registry. */
  makeImages(): Promise<void>;
  /**
   * Removes containers, volumes, networks and the image, and ends the engine if it was started for the test. Once,
   * however often called.
   */
  remove(): Promise<void>;
}

/** Prepares a stack; nothing is started yet. */
export async function prepareStack({ env: engine, standIn, down }: Beds["docker"]): Promise<Stack> {
  const folder = await temporaryFolder();
  const npmrc = join(folder.path, "npmrc");
  await writeFile(npmrc, await npmSettings());
  const ca = join(folder.path, "ca.pem");
  await writeFile(ca, await certificates());
  const services = ["mlflow", "prometheus", "pushgateway", "pramathus", "mlmon"] as const;
  const ports = new Map<string, number>();
  for (const service of services) ports.set(service, await freePort());
  const variables = Object.fromEntries(
    [...ports].map(([service, port]) => [`${service.toUpperCase()}_PORT`, `${port}`]),
  );
  const env = { ...process.env, ...engine, ...variables, MLMON_TEST_NPMRC: npmrc, MLMON_TEST_CA: ca };
  const urlOf = (service: string) => `http://127.0.0.1:${ports.get(service)}`;

  async function docker(...args: string[]): Promise<string> {
    const { stdout } = await execute("docker", args, { cwd: root, env, maxBuffer: 64 * 1024 ** 2 });
    return stdout;
  }
  const files = ["-f", "docker-compose.yml", "-f", "test/compose/test.override.yml"];
  const compose = (...args: string[]) => docker("compose", "-p", `mlmon-test-${process.pid}`, ...files, ...args);

  let removed: Promise<void> | undefined;
  async function remove(): Promise<void> {
    await compose("down", "-v", "--remove-orphans", "--timeout", "5").catch(() => undefined);
    await docker("image", "rm", "-f", "mlmon-test").catch(() => undefined);
    await down();
    await folder.remove();
  }

  return {
    urls: {
      mlflow: urlOf("mlflow"),
      prometheus: urlOf("prometheus"),
      pushgateway: urlOf("pushgateway"),
      pramathus: urlOf("pramathus"),
      mlmon: urlOf("mlmon"),
    },
    docker,
    compose,
    async makeImages() {
      if (!standIn) return;
      const images = new Set((await compose("config", "--images")).trim().split("\n"));
      for (const [name, prefix] of officialImages) {
        const tag = [...images].find((image) => image.startsWith(prefix));
        if (tag) await standIn(name, tag);
      }
    },
    remove() {
      removed ??= remove();
      return removed;
    },
  };
}

/** Stand-ins by how their tags begin; Grafana has none. */
const officialImages = [
  ["bun", "oven/bun:"],
  ["prometheus", "prom/prometheus:"],
  ["pushgateway", "prom/pushgateway:"],
  ["mlflow", "mlmon-mlflow:"],
] as const;

/** The machine's registry. */
async function npmSettings(): Promise<string> {
  const { stdout } = await execute("npm", ["config", "get", "registry", "--loglevel=error"], { cwd: root });
  return `registry=${stdout.trim()}\n`;
}

/** What the machine trusts beside the usual authorities; empty where nobody has said. */
async function certificates(): Promise<string> {
  const { stdout } = await execute("npm", ["config", "get", "cafile", "--loglevel=error"], { cwd: root });
  const said = [process.env.NODE_EXTRA_CA_CERTS, stdout.trim()].find((file) => file && file !== "null");
  return said ? readFile(said, "utf8") : "";
}
