import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { watchFiles } from "../../src/config/watch.ts";
import { temporaryFolder, until } from "../beds/wait.ts";

describe("watchFiles()", () => {
  it("calls once for each change: written, replaced, gone, come back, and by a link of a folder", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    for (const name of ["one", "two"]) {
      await mkdir(at(name));
      await writeFile(at(`${name}/file`), name);
    }
    await symlink("one", at("data"));
    await writeFile(at("plain"), "a");
    let calls = 0;
    const files = [at("plain"), at("data/file")];
    const onChange = () => {
      calls += 1;
    };
    const stop = watchFiles({ files: () => files, onChange, everyMs: 20 });
    const steps: readonly (() => Promise<unknown>)[] = [
      () => writeFile(at("plain"), "bc"),
      () => writeFile(at("next"), "def").then(() => rename(at("next"), at("plain"))),
      () => rm(at("plain")),
      () => writeFile(at("plain"), "ghij"),
      () => symlink("two", at("data-next")).then(() => rename(at("data-next"), at("data"))),
    ];
    for (const [index, step] of steps.entries()) {
      await step();
      await until(() => calls > index, 5000, `call ${index + 1}`);
      assert.equal(calls, index + 1);
    }
    // Nothing more happens: long enough for ten looks.
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(calls, steps.length);
    files.push(at("one/file"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(calls, steps.length);
    stop();
  });

  it("calls for what was written before the first look, but after the file was read", async () => {
    await using folder = await temporaryFolder();
    const [old, young] = [join(folder.path, "old"), join(folder.path, "young")];
    for (const path of [old, young]) await writeFile(path, "a");
    await utimes(old, 1, 1);
    for (const { path, expected } of [
      { path: old, expected: 0 },
      { path: young, expected: 1 },
    ]) {
      let calls = 0;
      const onChange = () => {
        calls += 1;
      };
      const stop = watchFiles({ files: () => [path], since: 2000, onChange, everyMs: 10 });
      await until(() => calls >= expected, 5000, path);
      await new Promise((resolve) => setTimeout(resolve, 100));
      stop();
      assert.equal(calls, expected);
    }
  });
});
