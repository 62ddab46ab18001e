import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { openStateFolder } from "../../src/journal/state-folder.ts";
import { WorkError } from "../../src/model/errors.ts";
import { announce } from "../../src/queue/control.ts";
import { freePort, temporaryFolder } from "../beds/wait.ts";
import { mlmon } from "../commands/mlmon.ts";

const timeout = 30_000;
const skip = process.platform === "win32" ? "no such rights and files on Windows" : false;
const mode = (path: string) => statSync(path).mode & 0o777;

/** Opens all that mlmon keeps in a folder, as `run` does, and closes it. */
async function openAll(dir: string, look: (warning: string | undefined) => void = () => {}): Promise<void> {
  const state = openStateFolder(dir);
  try {
    const journal = await openJournal({ path: state.journalPath, maxBytes: 2 ** 30, now: Date.now });
    try {
      await journal.append({ batch: { time: 1, samples: [], ended: [] } });
      const unannounce = announce(state.path, { url: "http://127.0.0.1:1", key: "key", startedAt: 1 });
      look(state.warning);
      unannounce();
    } finally {
      await journal.close();
    }
  } finally {
    state.close();
  }
}

describe("the state folder", { skip, timeout }, () => {
  it("is made for its owner alone, whatever the umask", async () => {
    await using folder = await temporaryFolder();
    const dir = join(folder.path, "a/state");
    const umask = process.umask(0);
    try {
      await openAll(dir, () => {
        assert.equal(mode(dir), 0o700);
        const names = readdirSync(dir);
        for (const name of names) assert.equal(mode(join(dir, name)), 0o600, name);
        for (const name of ["lock", "pid", "journal.db", "journal.db-wal", "control.json"])
          assert.ok(names.includes(name), `${name} of ${names.join()}`);
      });
    } finally {
      process.umask(umask);
    }
  });

  const places = [
    "lock",
    "pid",
    "journal.db",
    "journal.db-wal",
    "journal.db-shm",
    "journal.db.new",
    "control.json.new",
  ];
  const others: Readonly<Record<string, (path: string, foreign: string) => void>> = {
    "a link to somebody's file": (path, foreign) => symlinkSync(foreign, path),
    "a link to nothing": (path, foreign) => symlinkSync(`${foreign}-not`, path),
    "a folder": (path) => mkdirSync(path),
    "a pipe": (path) => void execFileSync("mkfifo", [path]),
  };
  for (const [what, put] of Object.entries(others)) {
    it(`is refused with ${what} in the place of one of its files, which stays as it is`, async () => {
      for (const place of places) {
        await using folder = await temporaryFolder();
        const [dir, foreign] = [join(folder.path, "state"), join(folder.path, "foreign")];
        mkdirSync(dir, { mode: 0o700 });
        writeFileSync(foreign, "the words of somebody");
        put(join(dir, place), foreign);
        await assert.rejects(openAll(dir), (error: unknown) => {
          assert.ok(error instanceof WorkError, `${place}: ${error}`);
          assert.match(
            error.message,
            new RegExp(`^Cannot use ".*${place}" as a file of mlmon as it is a?.*: .*--state`),
          );
          return true;
        });
        assert.equal(readFileSync(foreign, "utf8"), "the words of somebody", place);
        assert.ok(!existsSync(`${foreign}-not`), place);
      }
    });
  }

  it("may be a link to a folder, and nothing else", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    mkdirSync(at("real"), { mode: 0o700 });
    symlinkSync(at("real"), at("link"));
    await openAll(at("link"));
    assert.ok(existsSync(at("real/journal.db")));
    writeFileSync(at("file"), "words");
    symlinkSync(at("file"), at("to-file"));
    symlinkSync(at("nothing"), at("to-nothing"));
    execFileSync("mkfifo", [at("pipe")]);
    for (const name of ["file", "to-file", "to-nothing", "pipe"]) {
      await assert.rejects(openAll(at(name)), (error: unknown) => {
        assert.ok(error instanceof WorkError, String(error));
        assert.match(error.message, /^Cannot .* the state folder ".*"(: E[A-Z]+\. Make it writable| as a file stands)/);
        return true;
      });
    }
    assert.equal(readFileSync(at("file"), "utf8"), "words");
  });

  it("is warned of when others may change it, or read what lies in it", async () => {
    await using folder = await temporaryFolder();
    const dir = join(folder.path, "state");
    await openAll(dir, (warning) => assert.equal(warning, undefined));
    chmodSync(dir, 0o755);
    await openAll(dir, (warning) => assert.equal(warning, undefined));
    chmodSync(join(dir, "journal.db"), 0o644);
    const readable = /^Other users may read what mlmon keeps in ".*journal\.db" \(mode 0644\): chmod 700 ".*state"$/;
    await openAll(dir, (warning) => assert.match(warning ?? "", readable));
    chmodSync(dir, 0o700);
    await openAll(dir, (warning) => assert.equal(warning, undefined));
    for (const open of [0o777, 0o770, 0o702]) {
      chmodSync(dir, open);
      const changed = new RegExp(
        `^Other users may change the state folder ".*" \\(mode 0${open.toString(8)}\\): chmod 700`,
      );
      await openAll(dir, (warning) => assert.match(warning ?? "", changed));
    }
  });

  it("is refused and warned of by the commands, in one line", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    writeFileSync(
      at("mlmon.config.ts"),
      `import { defineSource, v } from "mlmon";
import { console } from "mlmon/plugins/console";
const none = defineSource("none", v.strictObject({}), () => ({ async *read() {} }));
export default { sources: [none()], sinks: [console()] };`,
    );
    mkdirSync(at("state"));
    chmodSync(at("state"), 0o777);
    const call = (...args: readonly string[]) => mlmon(args, { cwd: folder.path });
    const warned = await call("export-once", "--state", "state");
    assert.equal(warned.status, 0, warned.stderr);
    assert.match(warned.stderr, /WARN .*Other users may change the state folder/);
    const examined = await call("doctor", "--state", "state", "--listen", `127.0.0.1:${await freePort()}`);
    assert.match(examined.stdout, /^! state folder$/m, examined.stdout);
    mkdirSync(at("odd"), { mode: 0o700 });
    execFileSync("mkfifo", [at("odd/journal.db")]);
    for (const command of [["run", "--listen", "127.0.0.1:0"], ["export-once"], ["queue"]]) {
      const { status, stderr } = await call(...command, "--state", "odd");
      assert.equal(status, 1, stderr);
      assert.match(stderr, /^mlmon: Cannot use ".*journal\.db" as a file of mlmon as it is no plain file: .*\n$/m);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
  });
});
