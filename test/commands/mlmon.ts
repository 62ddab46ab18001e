import { execFile } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { runtime } from "../../src/runtime/runtime.ts";

const entry = join(import.meta.dirname, "../../src/cli.ts");

/** How a command has ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MlmonOptions {
  readonly cwd: string;
  /** Beside the test's own, without the variables that mlmon reads. */
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on its stdin; nothing by default. */
  readonly input?: string;
  /** Is given the process to signal, by `process.kill`: after `child.kill` Deno reports any end as that of the signal. */
  readonly onStarted?: (pid: number) => void;
}

/** Runs a command of mlmon from source, under the runtime that runs the test, to its end. */
export function mlmon(args: readonly string[], { cwd, env = {}, input = "", onStarted }: MlmonOptions): Promise<Ended> {
  const words = mlmonWords(args);
  return new Promise((resolve) => {
    const child = execFile(process.execPath, words, { cwd, env: { ...bare(), ...env } }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
    // One that does not read it may have ended before it is written.
    child.stdin?.on("error", () => undefined).end(input);
    if (child.pid !== undefined) onStarted?.(child.pid);
  });
}

/** The words after the runtime's own program that run a command of mlmon from source. */
export function mlmonWords(args: readonly string[]): string[] {
  return runtime === "deno" ? ["run", "-A", "--no-prompt", "--no-check", entry, ...args] : [entry, ...args];
}

function bare(): Record<string, string | undefined> {
  const read =
    /^(MLMON_|MLFLOW_|PRAMATHUS_|PROMETHEUS_|EXPORT_INTERVAL|MAX_EXPERIMENTS|INCLUDE_SYSTEM|STATE_DIRECTORY)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !read.test(name)));
}
