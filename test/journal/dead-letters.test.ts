import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
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
      ledger: [{ ...dead, scope: "source", id: "a", name: "read", reason: "", count: 180 }],
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
