import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openStateFolder } from "../../src/journal/state-folder.ts";
import { WorkError } from "../../src/model/errors.ts";
import { makeFolder } from "./make.ts";

const folder = makeFolder();
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  folder.remove();
});

describe("openStateFolder()", () => {
  it("makes the folder and its files for their owner alone", () => {
    const dir = join(folder.path, "deep", "state");
    const state = openStateFolder(dir);
    assert.equal(state.path, dir);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    for (const name of ["lock", "pid"]) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name);
    state.close();
    state.close();
  });

  it("refuses a second one in the same process, until the first is closed", () => {
    const dir = join(folder.path, "twice");
    const first = openStateFolder(dir);
    for (let time = 0; time < 2; time++) {
      assert.throws(
        () => openStateFolder(dir),
        refusal(new RegExp(`another mlmon uses it: process ${process.pid}\\.`)),
      );
    }
    first.close();
    openStateFolder(dir).close();
  });

  it("knows when it was removed, or when another one stands in its place", () => {
    const dir = join(folder.path, "removed");
    const state = openStateFolder(dir);
    assert.equal(state.isThere(), true);
    renameSync(dir, `${dir} moved`);
    assert.equal(state.isThere(), false);
    const other = openStateFolder(dir);
    assert.deepEqual([state.isThere(), other.isThere()], [false, true]);
    for (const { close } of [state, other]) close();
  });

  it("names the other process, and works again when that was killed", { timeout: 30_000 }, async () => {
    const dir = join(folder.path, "killed");
    const child = await holdFolder(dir);
    assert.throws(() => openStateFolder(dir), refusal(new RegExp(`another mlmon uses it: process ${child.pid}\\.`)));
    child.kill("SIGKILL");
    await once(child, "exit");
    openStateFolder(dir).close();
  });

  it("refuses a folder below a file, and says what to do", () => {
    const file = join(folder.path, "file");
    writeFileSync(file, "");
    assert.throws(
      () => openStateFolder(join(file, "state")),
      refusal(
        /state folder ".*file\/state" as a file stands in its way\. Choose another one with --state or MLMON_STATE_DIR/,
      ),
    );
    assert.throws(() => openStateFolder(file), refusal(/state folder ".*\/file" as a file stands in its way/));
  });

  it("refuses a folder without write permission", () => {
    // Root may write anywhere but where the kernel itself refuses it.
    const root = process.getuid?.() === 0;
    const dir = root ? "/sys/kernel" : join(folder.path, "readonly");
    if (!root) mkdirSync(dir, { mode: 0o500 });
    const refused = /Cannot write to the state folder ".*(readonly|kernel)": E(ACCES|PERM|ROFS)/;
    assert.throws(() => openStateFolder(dir), refusal(refused));
    assert.ok(!existsSync(join(dir, "lock")));
    if (!root) chmodSync(dir, 0o700);
  });
});

function refusal(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof WorkError, String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

/** Starts a process of this runtime that opens the folder and keeps it. */
async function holdFolder(dir: string): Promise<ChildProcess> {
  const holder = fileURLToPath(new URL("./hold-folder.ts", import.meta.url));
  const run = "Deno" in globalThis ? ["run", "-A", "--no-check"] : ["run"];
  const child = spawn(process.execPath, [...run, holder, dir], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = await once(child.stdout, "data");
  assert.equal(String(line).trim(), "held");
  return child;
}
