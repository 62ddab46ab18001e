import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { temporaryFolder } from "../beds/wait.ts";

const unit = join(import.meta.dirname, "../../deploy/systemd/mlmon.service");
const skip = spawnSync("systemd-analyze", ["--version"]).status === 0 ? false : "systemd-analyze is missing";

function analyze(...words: readonly string[]): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    execFile("systemd-analyze", words, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, text: stdout + stderr }),
    );
  });
}

describe("deploy/systemd/mlmon.service", { skip }, () => {
  it("is understood by systemd in every line", async () => {
    await using folder = await temporaryFolder();
    const copy = join(folder.path, "mlmon.service");
    // The path of the binary is checked, too, and this machine has another.
    await writeFile(copy, (await readFile(unit, "utf8")).replaceAll("/usr/local/bin/mlmon", process.execPath));
    assert.deepEqual(await analyze("verify", copy), { status: 0, text: "" });
  });

  it("is exposed by less than 2.0 of 10", async () => {
    const { status, text } = await analyze("security", "--offline=true", "--threshold=20", unit);
    assert.equal(status, 0, text);
    assert.match(text, /Overall exposure level for mlmon\.service: 1\.\d OK/);
  });
});
