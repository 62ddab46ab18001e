import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** One way of starting mlmon. */
export interface Program {
  readonly name: "bun" | "binary" | "deno";
  readonly skip: false | string;
  readonly command: readonly [file: string, ...args: string[]];
  /** Runs it to its end in `folder` and returns stdout; rejects with stderr in the message when it fails. */
  run(args: readonly string[], folder: string): Promise<string>;
}

const bun = join(root, "node_modules/bun/bin/bun.exe");
// Another one than the shared, for trying it out beside the work of others.
const binary = process.env.MLMON_TEST_BINARY || join(root, "dist/mlmon");
const deno = join(root, "node_modules/.bin/deno");
const entry = join(root, "src/cli.ts");

/** From source under Bun, as the compiled binary, from source under Deno. */
export const programs: readonly Program[] = [
  program("bun", false, [bun, "--no-install", entry]),
  program("binary", existsSync(binary) ? false : "dist/mlmon is missing: npm run build", [binary]),
  program("deno", false, [deno, "run", "-A", "--no-prompt", entry]),
];

function program(name: Program["name"], skip: false | string, command: Program["command"]): Program {
  const [file, ...first] = command;
  return {
    name,
    skip,
    command,
    async run(args, folder) {
      const done = await execute(file, [...first, ...args], { cwd: folder, maxBuffer: 256 * 1024 ** 2 });
      const { stdout, stderr } = done;
      if (stderr.includes("does not add up")) throw new Error(stderr);
      return stdout;
    },
  };
}
