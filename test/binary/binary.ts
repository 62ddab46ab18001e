import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const built = join(root, "dist/mlmon");

/** The binary as a user has it: alone in a folder outside of the project. */
export interface Binary {
  readonly path: string;
  readonly bytes: number;
  remove(): void;
}

/** Copies `dist/mlmon` into a folder of its own, and builds it first when it is missing or older than its sources. */
export function takeBinary(): Binary {
  if (isStale()) execFileSync("node", [join(root, "scripts/build.js")], { stdio: ["ignore", "ignore", "pipe"] });
  const folder = mkdtempSync(join(tmpdir(), "mlmon-binary-"));
  const path = join(folder, "mlmon");
  copyFileSync(built, path);
  return { path, bytes: statSync(path).size, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** How a command has ended. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Env = Readonly<Record<string, string>>;

/** Runs the binary to its end with nothing in its environment but `env`. */
export function runBinary(path: string, args: readonly string[], cwd: string, env: Env = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(path, args, { cwd, env, maxBuffer: 64 * 1024 ** 2 }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

/** Starts the binary; its output goes nowhere. */
export function startBinary(path: string, args: readonly string[], cwd: string, env: Env): ChildProcess {
  return spawn(path, args, { cwd, env, stdio: "ignore" });
}

/** Writes files by their path in a folder. */
export async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

function isStale(): boolean {
  if (!existsSync(built)) return true;
  const made = statSync(built).mtimeMs;
  const inputs = ["package.json", "package-lock.json", "scripts/build.js", ...below("src"), ...below("plugins")];
  return inputs.some((file) => statSync(join(root, file)).mtimeMs > made);
}

function below(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name)));
}
