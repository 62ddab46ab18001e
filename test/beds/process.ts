import { spawn } from "node:child_process";
import { join } from "node:path";
import { until } from "./wait.ts";

const guard = join(import.meta.dirname, "guard.sh");

/** A server at work for a test. */
export interface Started {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  /** Ends the server and everything it started, waits for that, and removes its folder. */
  stop(): Promise<void>;
}

/** What `startProcess` needs to know. */
export interface Start {
  /** What it is called in messages. */
  readonly name: string;
  readonly command: readonly [file: string, ...args: string[]];
  /** Removed when the server has ended. */
  readonly folder: string;
  readonly url: string;
  /** The path that answers 2xx as soon as the server may be used: `/-/ready`. */
  readonly ready: string;
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts a server under `guard.sh`, so that it ends with this process at the latest, and waits until it is ready.
 * Rejects with the end of its output when it ends before that or the deadline (30 s) passes.
 */
export async function startProcess({ name, command, folder, url, ready, deadlineMs, env }: Start): Promise<Started> {
  const child = spawn(guard, [folder, ...command], {
    stdio: ["pipe", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let output = "";
  let exit: number | null | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      exit = null;
      output = error.message;
      resolve();
    });
    child.once("exit", (code) => {
      exit = code;
      resolve();
    });
  });
  const stop = async () => {
    child.ref();
    child.stdin.end();
    await ended;
  };
  try {
    await until(
      async () => exit !== undefined || (await fetch(`${url}${ready}`)).ok,
      deadlineMs,
      `${name} to be ready at ${url}${ready}`,
    );
    if (exit !== undefined) throw new Error(`${name} ended at once`);
  } catch (error) {
    await stop();
    throw new Error(`Cannot start ${name}:\n${output}`, { cause: error });
  }
  child.unref();
  unreference(child.stderr);
  unreference(child.stdin);
  return { url, stop };
}

/** A pipe to a server must not keep the test process from its end. */
function unreference(stream: object): void {
  if ("unref" in stream && typeof stream.unref === "function") stream.unref();
}
