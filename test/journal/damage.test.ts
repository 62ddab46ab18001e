import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { WorkError } from "../../src/model/errors.ts";
import { makeBatch, makeFolder, makeRun, makeSamples } from "./make.ts";

const folder = makeFolder();
after(() => folder.remove());

/** Makes a journal of 50 batches, closed, under a name of its own. */
async function makeJournal(name: string): Promise<string> {
  const path = join(folder.path, name);
  const journal = await openJournal({ path, maxBytes: 1e9 });
  const run = makeRun("a");
  for (let index = 0; index < 50; index++) await journal.append({ batch: makeBatch(makeSamples(200, { run })) });
  await journal.close();
  return path;
}

const cases: readonly { name: string; spoil(path: string): void; says: RegExp }[] = [
  { name: "empty", spoil: (path) => writeFileSync(path, ""), says: /is empty: move it away/ },
  { name: "text", spoil: (path) => writeFileSync(path, "hello\n"), says: /is not a journal of mlmon: move it away/ },
  {
    name: "noise",
    spoil: (path) => writeFileSync(path, Buffer.alloc(9999, 0xa5)),
    says: /is not a journal of mlmon/,
  },
  {
    name: "foreign",
    spoil(path) {
      unlinkSync(path);
      const db = new DatabaseSync(path);
      db.exec("CREATE TABLE runs (run_uuid TEXT)");
      db.close();
    },
    says: /is a SQLite database of another program: move it away/,
  },
  {
    name: "newer",
    spoil(path) {
      const db = new DatabaseSync(path);
      db.exec("PRAGMA user_version = 99");
      db.close();
    },
    says: /another version of mlmon wrote it: its form is 99, this mlmon knows \d+/,
  },
  {
    name: "head only",
    spoil: (path) => truncateSync(path, 100),
    says: /is damaged: .*Move it away/,
  },
  { name: "truncated", spoil: (path) => truncateSync(path, 40_000), says: /is damaged: .*Move it away/ },
  {
    name: "cut in the middle of a page",
    spoil: (path) => truncateSync(path, 39_001),
    says: /is damaged: .*Move it away/,
  },
  {
    name: "zeroed pages",
    spoil(path) {
      const content = readFileSync(path);
      writeFileSync(path, content.fill(0, 4096, 16 * 4096));
    },
    says: /is damaged: .*Move it away/,
  },
  {
    name: "a column of another name",
    spoil(path) {
      const content = readFileSync(path);
      const at = content.indexOf("samples_before INTEGER");
      assert.ok(at > 0);
      content.write("tamples", at);
      writeFileSync(path, content);
    },
    says: /is damaged: its tables are not those of mlmon\. Move it away/,
  },
  {
    name: "lost but for its wal",
    spoil(path) {
      unlinkSync(path);
      writeFileSync(`${path}-wal`, "frames");
    },
    says: /it is missing while its ".*-wal" is there/,
  },
  {
    name: "a folder",
    spoil(path) {
      unlinkSync(path);
      mkdirSync(path);
    },
    says: /as it is a folder: move it away/,
  },
];

describe("openJournal()", () => {
  for (const [index, { name, spoil, says }] of cases.entries()) {
    it(`refuses a file that is spoiled (${name}), and leaves it as it is`, async () => {
      const path = await makeJournal(`case-${index}.db`);
      spoil(path);
      const content = () => (existsSync(path) && name !== "a folder" ? readFileSync(path) : undefined);
      const before = content();
      await assert.rejects(openJournal({ path, maxBytes: 1e9 }), (error: unknown) => {
        assert.ok(error instanceof WorkError, String(error));
        assert.match(error.message, says);
        assert.ok(error.message.includes(path));
        return true;
      });
      assert.deepStrictEqual(content(), before);
    });
  }

  it("starts over what a kill left of a file that was just being made", async () => {
    const path = join(folder.path, "draft.db");
    writeFileSync(`${path}.new`, "half");
    writeFileSync(`${path}.new-journal`, "half");
    const journal = await openJournal({ path, maxBytes: 1e9 });
    await journal.append({ batch: makeBatch(makeSamples(1)) });
    await journal.close();
    assert.ok(!existsSync(`${path}.new`));
  });

  it("goes on from what is whole when the end of the wal is torn off", async () => {
    const path = join(folder.path, "torn.db");
    const journal = await openJournal({ path, maxBytes: 1e9 });
    for (let index = 0; index < 10; index++) await journal.append({ batch: makeBatch(makeSamples(100)) });
    const copy = join(folder.path, "torn-copy.db");
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    truncateSync(`${copy}-wal`, readFileSync(`${copy}-wal`).length - 100);
    await journal.close();
    const found = await openJournal({ path: copy, maxBytes: 1e9 });
    assert.equal(found.end(), 909);
    assert.equal((await found.slice(0, { samples: 1e6, bytes: 1e9 })).samples, 900);
    await found.close();
  });
});

describe("a slice of a damaged journal", () => {
  it("names the file and the position of the batch whose checksum differs", async () => {
    const path = await makeJournal("bits.db");
    flipBody(path, 402);
    const journal = await openJournal({ path, maxBytes: 1e9 });
    const whole = await journal.slice(0, { samples: 400, bytes: 1e9 });
    assert.equal(whole.samples, 400);
    await assert.rejects(journal.slice(whole.next, { samples: 1, bytes: 1e9 }), (error: unknown) => {
      assert.ok(error instanceof WorkError);
      assert.ok(error.message.includes(path), error.message);
      assert.match(error.message, /the batch at position 402 cannot be read, its checksum differs\. Move it away/);
      return true;
    });
    await journal.close();
  });
});

describe("a state or a position that is not what was stored", () => {
  for (const [what, sql, says] of [
    ["a state", "UPDATE state SET value = CAST('12' AS BLOB)", /a state of "source\/a" cannot be read, its checksum/],
    ["the owner of a state", "UPDATE state SET owner = 'source/b'", /a state of "source\/b" cannot be read/],
    ["a position", "UPDATE consumers SET position = 5", /the position of "sink\/a" cannot be read, its checksum/],
  ] as const) {
    it(`is found out: ${what}`, async () => {
      const path = join(folder.path, `${what}.db`);
      const journal = await openJournal({ path, maxBytes: 1e9 });
      journal.state("source/a").set("emitted", "11");
      await journal.append({ batch: makeBatch(makeSamples(10)), owners: ["source/a"] });
      await journal.commit("sink/a", 3);
      await journal.close();
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
      const read = async () => {
        const found = await openJournal({ path, maxBytes: 1e9 });
        try {
          return ["a", "b"].map((id) => [...found.state(`source/${id}`).scan("")]);
        } finally {
          await found.close();
        }
      };
      await assert.rejects(read, (error: unknown) => {
        assert.ok(error instanceof WorkError && error.message.includes(path), String(error));
        assert.match(error.message, says);
        return true;
      });
    });
  }
});

/** Changes one bit of a stored batch, where SQLite does not see it. */
function flipBody(path: string, position: number): void {
  const db = new DatabaseSync(path);
  const body = db.prepare("SELECT body FROM batches WHERE position = ?").get(position)?.body;
  assert.ok(body instanceof Uint8Array);
  body[1000] = (body[1000] ?? 0) ^ 1;
  db.prepare("UPDATE batches SET body = ? WHERE position = ?").run(body, position);
  db.close();
}
