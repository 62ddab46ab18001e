import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { takenRows } from "../fixtures/samples.ts";
import { makeBatch, makeSamples } from "./make.ts";

const letter = (step: number) => ({
  sink: "s",
  time: step,
  reason: "422: no",
  batch: makeBatch(makeSamples(20, {}, step * 20)),
});
const samples = (counts: readonly { readonly samples: number }[]) =>
  counts.reduce((sum, count) => sum + count.samples, 0);

/** A journal whose room for dead letters is `letters` of them, and a worker's commits on it. */
async function open(letters: number) {
  const probe = await openJournal({ path: ":memory:", maxBytes: 1e9 });
  await probe.commit("sink/s", 0, { deadLetters: [letter(0)] });
  const bytes = probe.dead.counts({})[0]?.bytes ?? 0;
  await probe.close();
  const journal = await openJournal({ path: ":memory:", maxBytes: 8 * (letters * bytes + bytes / 2) });
  await journal.append({ batch: makeBatch(makeSamples(20 * letters * 3)) });
  let position = 0;
  return {
    journal,
    async die(step: number): Promise<void> {
      position += 20;
      await journal.commit("sink/s", position, { deadLetters: [letter(step)], ledger: [dead] });
    },
  };
}

const dead = { scope: "sink", id: "s", name: "dead", reason: "http_422", count: 20 } as const;

describe("dead letters near the cap of their room", () => {
  it("let the oldest go, counted as evicted, and the ledger still adds up", async () => {
    const { journal, die } = await open(3);
    await journal.append({
      batch: makeBatch([]),
      ledger: takenRows("a", 180),
    });
    for (let step = 0; step < 5; step++) await die(step);
    assert.equal(samples(journal.dead.counts({})), 60);
    assert.deepEqual(
      journal.dead.page({}, 0, 10).map(({ time }) => time),
      [2, 3, 4],
    );
    assert.equal(journal.ledger().find(({ name }) => name === "evicted")?.count, 40);
    assert.deepEqual(auditLedger(journal), []);
    await journal.close();
  });

  it("keep what is refused again after a replay", async () => {
    const { journal, die } = await open(3);
    for (let step = 0; step < 3; step++) await die(step);
    await journal.dead.replay({ sink: "s" });
    for (const { id, ...again } of journal.dead.replays("s")) {
      await journal.commit("sink/s", journal.position("sink/s"), { replayed: [id], deadLetters: [again] });
    }
    assert.equal(samples(journal.dead.counts({})), 60);
    assert.equal(journal.dead.replaying("s").samples, 0);
    await journal.close();
  });

  it("are not let go for others that wait to be delivered again", async () => {
    const { journal, die } = await open(3);
    for (let step = 0; step < 3; step++) await die(step);
    await journal.dead.replay({ sink: "s" });
    await die(3);
    assert.deepEqual([samples(journal.dead.counts({})), journal.dead.replaying("s").samples], [20, 60]);
    await journal.forget("sink/s");
    assert.equal(samples(journal.dead.counts({})), 80);
    await journal.commit("sink/s", 0, { deadLetters: [letter(9)] });
    assert.equal(samples(journal.dead.counts({})), 60);
    await journal.close();
  });
});

describe("totals of dead letters", () => {
  it("are what a scan finds, through deaths, replays, drops, and a sink that goes", async () => {
    const { journal, die } = await open(8);
    const agrees = () => assert.deepEqual(journal.dead.counts({}), journal.dead.counts({ since: 0 }));
    for (let step = 0; step < 10; step++) await die(step);
    agrees();
    assert.equal(samples(journal.dead.counts({})), 160);
    const died = { sink: "other", time: 7, reason: "400: no", batch: makeBatch(makeSamples(3)) };
    await journal.commit("sink/other", 0, { deadLetters: [died] });
    assert.deepEqual(
      journal.dead.counts({ sink: "other" }).map(({ samples }) => samples),
      [3],
    );
    assert.equal(samples(await journal.dead.replay({ sink: "s", since: 4, before: 7 })), 60);
    agrees();
    assert.equal(journal.dead.replaying("s").samples, 60);
    assert.deepEqual(journal.dead.replaying("other"), { samples: 0, bytes: 0, oldest: undefined });
    for (const { id } of journal.dead.replays("s")) {
      await journal.commit("sink/s", journal.position("sink/s"), { replayed: [id] });
      break;
    }
    assert.equal(journal.dead.replaying("s").samples, 40);
    assert.equal(samples(await journal.dead.drop({ before: 4 })), 40);
    await journal.forget("sink/s");
    agrees();
    assert.equal(journal.dead.replaying("s").samples, 0);
    assert.equal(samples(await journal.dead.drop({})), 103);
    assert.deepEqual(journal.dead.counts({}), []);
    await journal.close();
  });

  it("cost the same with many: they are asked for before each slice and at each scrape", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    await journal.commit("sink/s", 0, { deadLetters: Array.from({ length: 20_000 }, (_, step) => letter(step)) });
    await journal.dead.replay({ before: 10_000 });
    const start = performance.now();
    for (let index = 0; index < 2000; index++) {
      journal.dead.replaying("s");
      journal.dead.counts({});
    }
    // A scan of each takes 10 ms: 20 s and more in all.
    const ms = performance.now() - start;
    assert.ok(ms < 3000, `${ms} ms`);
    await journal.close();
  });

  it("change in steps, between which others have their turn", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    await journal.commit("sink/s", 0, { deadLetters: Array.from({ length: 3000 }, (_, step) => letter(step)) });
    let seen = 0;
    const replay = journal.dead.replay({ sink: "s" });
    void replay.then(() => {
      seen = Number.POSITIVE_INFINITY;
    });
    const turns = new Set<number>();
    while (seen < 60_000) {
      seen = Math.max(seen, journal.dead.replaying("s").samples);
      turns.add(seen);
      // What dies meanwhile is not meant.
      if (turns.size === 1) await journal.commit("sink/s", 0, { deadLetters: [letter(9)] });
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(turns.size > 2, `${turns.size} turns`);
    assert.deepEqual(
      (await replay).map(({ letters, samples }) => [letters, samples]),
      [[3000, 60_000]],
    );
    assert.equal(samples(journal.dead.counts({})), 20);
    await journal.close();
  });
});
