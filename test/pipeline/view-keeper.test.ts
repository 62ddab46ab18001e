import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { WorkError } from "../../src/model/errors.ts";
import { type Log, silentLog } from "../../src/model/log.ts";
import { createIntake } from "../../src/pipeline/intake.ts";
import { keepView, openView, viewConsumer } from "../../src/pipeline/view-keeper.ts";
import { temporaryFolder } from "../beds/wait.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

describe("keepView()", () => {
  it("goes on without a snapshot that cannot be written, and says so", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    const view = await openView(journal, { max: 10, retentionMs: 1000, sources: ["mlflow"] });
    const lines: string[] = [];
    const log: Log = { ...silentLog, error: (message) => void lines.push(message) };
    const full = { ...journal, commit: () => Promise.reject(new WorkError("its disk is full")) };
    const keeper = keepView(view, full, createIntake(journal, view, []), Date.now);
    await journal.append({ batch: makeBatch(makeSamples(1)) });
    await assert.rejects(keeper.save(), /disk is full/);
    await keeper.saveWithin(1000, log);
    keeper.stop();
    assert.deepEqual(lines, ["The snapshot of the latest values cannot be written"]);
    await journal.close();
  });
});

describe("makeRoom()", () => {
  it("writes no snapshot while a sink holds as much, and one when only the last snapshot does", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1 });
    const view = await openView(journal, { max: 10, retentionMs: 1e15, sources: ["mlflow"] });
    const intake = createIntake(journal, view, []);
    const keeper = keepView(view, journal, intake, Date.now);
    await journal.commit("sink/slow", 0);
    for (let step = 0; step < 3; step++) {
      await intake.take("mlflow", makeBatch(makeSamples(10)));
      await keeper.makeRoom();
    }
    assert.equal(journal.state(viewConsumer).get("snapshot"), undefined);
    await journal.commit("sink/slow", 15);
    await keeper.makeRoom();
    assert.equal(journal.position(viewConsumer), journal.end());
    assert.deepEqual(journal.waiting(0).samples, 20, "what the sink has passed is freed");
    keeper.stop();
    await journal.close();
  });
});

describe("openView()", () => {
  it("keeps what it shows through a kill before its first snapshot", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    const options = { max: 10, retentionMs: 1000, sources: ["mlflow"] };
    await openView(journal, options);
    await journal.append({
      batch: makeBatch(makeSamples(3), { source: "mlflow", runs: [makeRun()] }),
      owners: [],
      ledger: [],
    });
    await journal.commit("sink/fast", journal.end());
    await journal.trim();
    // What a start after a kill finds.
    const { samples } = (await openView(journal, options)).latest(Date.now());
    assert.deepEqual(
      samples.filter(({ name }) => name === "loss").map(({ value }) => value),
      [0.2],
    );
    await journal.close();
  });

  it("names the file of the journal whose snapshot is damaged, and the mend", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "journal.db");
    const journal = await openJournal({ path, maxBytes: 1e9 });
    journal.state(viewConsumer).set("snapshot", new Uint8Array([1, 2, 3]));
    await journal.commit(viewConsumer, 0, { owners: [viewConsumer] });
    await assert.rejects(openView(journal, { max: 10, retentionMs: 1000, sources: ["mlflow"] }), (error: unknown) => {
      assert.ok(error instanceof WorkError);
      assert.ok(error.message.includes(path), error.message);
      assert.match(error.message, /the snapshot of the latest values cannot be read\. Move it away/);
      return true;
    });
    await journal.close();
  });
});
