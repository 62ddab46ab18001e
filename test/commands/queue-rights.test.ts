import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { runtime } from "../../src/runtime/runtime.ts";
import { temporaryFolder } from "../beds/wait.ts";

const entry = join(import.meta.dirname, "../../src/cli.ts");
const words = runtime === "deno" ? ["run", "-A", "--no-prompt", "--no-check", "--cached-only", entry] : [entry];
/** Nobody's: root may read everything. */
const other = process.getuid?.() === 0 ? 65_534 : undefined;

/** Runs mlmon as a user without rights. */
function asOther(args: readonly string[], cwd: string) {
  const options = other === undefined ? {} : { uid: other, gid: other };
  return spawnSync(process.execPath, [...words, ...args], { cwd, encoding: "utf8", env: { HOME: cwd }, ...options });
}

const works = asOther(["--version"], "/").status === 0;
const skip = process.getuid === undefined ? "no user ids here" : !works && "another user may not run mlmon here";

describe("mlmon queue of a state folder that one may not read", { skip }, () => {
  for (const [what, folderMode, fileMode] of [
    ["folder", 0o000, 0o600],
    ["journal", 0o755, 0o000],
  ] as const) {
    it(`says that permission is missing for the ${what}, not that there is none`, async () => {
      await using folder = await temporaryFolder();
      await chmod(folder.path, 0o755);
      const state = join(folder.path, "state");
      await mkdir(state);
      await writeFile(join(state, "journal.db"), "");
      await chmod(join(state, "journal.db"), fileMode);
      await chmod(state, folderMode);
      const { status, stderr } = asOther(["queue", "--state", state], folder.path);
      await chmod(state, 0o755);
      assert.equal(status, 1);
      assert.match(stderr, /Cannot read the state folder ".*": permission is missing; run this as the user that/);
    });
  }
});
