import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const folder = join(import.meta.dirname, "../../.cache/beds/servers/sid");

/** The path of a real program, and why it cannot be had. */
export function program(name: "prometheus" | "promtool" | "pushgateway"): { bin: string; skip: string | false } {
  const bin = join(folder, name);
  return { bin, skip: existsSync(bin) ? false : `${name} is not in .cache/beds` };
}

export interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a server on a free loopback port and waits until it is ready. */
export async function start(bin: string, args: (port: number) => readonly string[]): Promise<Started> {
  const port = await freePort();
  const child = spawn(bin, args(port), { stdio: "ignore" });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  try {
    await until(`${bin} is ready`, async () => (await fetch(`${url}/-/ready`)).ok || undefined);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** Polls until a value is there, for 30 s at most. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await look();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`${what}: not within 30 s`, { cause: last });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
