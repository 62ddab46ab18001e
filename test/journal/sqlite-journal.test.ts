import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Journal } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { makeBatch, makeFolder, makeRun, makeSamples } from "./make.ts";

const folder = makeFolder();
after(() => folder.remove());

const never = new AbortController().signal;
const unlimited = { samples: 1e9, bytes: 1e12 };

function open(maxBytes = 2 ** 30): Promise<Journal> {
  return openJournal({ path: ":memory:", maxBytes });
}

describe("a slice", () => {
  it("gives ended runs, changed runs and facts with the last sample alone", async () => {
    const journal = await open();
    const run = makeRun("a");
    const samples = makeSamples(3, { run });
    await journal.append({
      batch: makeBatch(samples, { ended: [run], runs: [run], facts: makeSamples(1), source: "s" }),
    });

    const first = await journal.slice(0, { samples: 2, bytes: 1e6 });
    assert.deepStrictEqual(first, { batches: [makeBatch(samples.slice(0, 2), { source: "s" })], samples: 2, next: 2 });
    const second = await journal.slice(2, { samples: 2, bytes: 1e6 });
    assert.equal(second.samples, 1);
    assert.equal(second.next, 4);
    assert.deepStrictEqual(second.batches[0]?.ended, [run]);
    assert.equal(second.batches[0]?.ended[0], second.batches[0]?.samples[0]?.run);
    assert.equal(second.batches[0]?.facts?.length, 1);
    assert.deepStrictEqual(await journal.slice(4, unlimited), { batches: [], samples: 0, next: 4 });
  });

  it("of a batch without samples costs no sample", async () => {
    const journal = await open();
    await journal.append({ batch: makeBatch([], { ended: [makeRun("a")] }) });
    await journal.append({ batch: makeBatch(makeSamples(2)) });
    const slice = await journal.slice(0, { samples: 2, bytes: 1e6 });
    assert.deepStrictEqual([slice.batches.length, slice.samples, slice.next], [2, 2, 4]);
  });

  it("of batches without samples is bounded by its bytes", async () => {
    const journal = await open();
    for (let index = 0; index < 50; index++) await journal.append({ batch: makeBatch([], { ended: [makeRun("a")] }) });
    const slice = await journal.slice(0, { samples: 1000, bytes: 1000 });
    assert.deepStrictEqual([slice.batches.length, slice.samples, slice.next], [10, 0, 10]);
  });

  it("holds at least one sample, however small the limits are", async () => {
    const journal = await open();
    await journal.append({ batch: makeBatch(makeSamples(2)) });
    for (const limit of [
      { samples: 1, bytes: 0 },
      { samples: 0, bytes: 1e6 },
      { samples: 5, bytes: 103 },
    ]) {
      const slice = await journal.slice(0, limit);
      assert.deepStrictEqual([slice.samples, slice.next], [1, 1], JSON.stringify(limit));
    }
  });

  it("spans batches until its bytes are used up", async () => {
    const journal = await open();
    for (let index = 0; index < 5; index++) await journal.append({ batch: makeBatch(makeSamples(2)) });
    const slice = await journal.slice(0, { samples: 1000, bytes: 5 * 104 + 50 });
    assert.deepStrictEqual([slice.batches.length, slice.samples, slice.next], [3, 5, 7]);
    const even = await journal.slice(0, { samples: 1000, bytes: 4 * 104 + 50 });
    assert.deepStrictEqual([even.batches.length, even.samples, even.next], [2, 4, 6]);
  });

  it("ends before a position, within a batch and between two", async () => {
    const journal = await open();
    for (let index = 0; index < 3; index++) await journal.append({ batch: makeBatch(makeSamples(2)) });
    for (const [before, samples] of [
      [1, 1],
      [2, 2],
      [3, 2],
      [4, 3],
      [100, 6],
    ] as const) {
      assert.equal((await journal.slice(0, { ...unlimited, before })).samples, samples, `before ${before}`);
    }
    assert.deepStrictEqual(await journal.slice(4, { ...unlimited, before: 3 }), { batches: [], samples: 0, next: 4 });
  });
});

describe("the journal in memory and in a file", () => {
  it("stores no row for a batch with nothing in it, but what belongs to it", async () => {
    const journal = await open();
    journal.state("source").set("cursor", "5");
    const ledger = [{ scope: "source", id: "a", name: "filtered", reason: "", count: 7 } as const];
    await journal.append({ batch: makeBatch([], { runs: [], facts: [] }), owners: ["source"], ledger });
    assert.equal(journal.end(), 0);
    assert.equal(journal.size().bytes, 0);
    assert.deepStrictEqual(journal.ledger(), ledger);
    assert.equal(journal.state("source").get("cursor"), "5");
  });

  it("keeps everything when it is closed and opened again", async () => {
    const path = join(folder.path, "again.db");
    const first = await openJournal({ path, maxBytes: 1e9 });
    first.state("o").set("k", "v");
    await first.append({ batch: makeBatch(makeSamples(3)), owners: ["o"] });
    first.state("o").set("lost", "as nothing has committed it");
    await first.commit("sink", 2);
    await first.close();
    assert.ok(!existsSync(`${path}-wal`));
    assert.equal(statSync(path).mode & 0o777, 0o600);

    const second = await openJournal({ path, maxBytes: 1e9 });
    assert.equal(second.position("sink"), 2);
    assert.equal(second.state("o").get("k"), "v");
    assert.equal(second.state("o").get("lost"), undefined);
    assert.equal((await second.slice(2, unlimited)).samples, 1);
    await second.close();
    await second.close();
  });

  it("refuses a position beyond its end", async () => {
    const journal = await open();
    await assert.rejects(journal.commit("sink", 1), RangeError);
    await assert.rejects(journal.commit("sink", Number.NaN), RangeError);
    assert.deepStrictEqual(journal.consumers(), []);
  });

  it("writes nothing at all when a part of a step cannot be written", async () => {
    const journal = await open();
    journal.state("o").set("k", "v");
    const bad = { scope: "sink", id: "a", name: "dead", reason: "", count: 0.5 } as const;
    const good = { ...bad, count: 1 };
    await assert.rejects(journal.append({ batch: makeBatch(makeSamples(3)), owners: ["o"], ledger: [good, bad] }));
    assert.equal(journal.end(), 0);
    assert.deepStrictEqual(journal.ledger(), []);
    await journal.append({ batch: makeBatch(makeSamples(3)), owners: ["o"], ledger: [good] });
    assert.equal(journal.end(), 4);
    assert.deepStrictEqual(journal.ledger(), [good]);
    assert.equal(journal.state("o").get("k"), "v");
  });

  it("is full beyond its cap, until what all consumers have passed is trimmed", async () => {
    const journal = await open(10_000);
    await journal.commit("fast", 0);
    await journal.commit("slow", 0);
    while (!journal.size().full) await journal.append({ batch: makeBatch(makeSamples(20)) });
    await journal.commit("fast", journal.end());
    await journal.trim();
    assert.ok(journal.size().full);
    await journal.commit("slow", journal.end());
    const waiting = journal.changed(never);
    await journal.trim();
    await waiting;
    const { bytes, maxBytes, full, fill } = journal.size();
    assert.deepStrictEqual([bytes, maxBytes, full, fill], [0, 10_000, false, 0]);
    assert.equal(journal.position("new"), journal.end());
  });

  it("keeps a batch of which a consumer lacks the end alone", async () => {
    const journal = await open();
    const run = makeRun("a");
    for (let index = 0; index < 3; index++)
      await journal.append({ batch: makeBatch(makeSamples(2), { ended: [run] }) });
    await journal.commit("sink", 5);
    await journal.trim();
    assert.equal(journal.position("new"), 3);
    const slice = await journal.slice(5, { samples: 1, bytes: 1e6 });
    assert.deepStrictEqual(slice.batches[0], makeBatch([], { ended: [run] }));
  });

  it("is full while its disk has no room, and looks again by itself", async () => {
    let now = 0;
    const path = join(folder.path, "disk.db");
    const journal = await openJournal({ path, maxBytes: 1e9, reserveBytes: 2 ** 60, now: () => now });
    assert.ok(journal.size().full);
    now = 5000;
    assert.ok(journal.size().full);
    await journal.close();
  });

  it("gives room back to the disk after a large backlog is gone", async () => {
    const path = join(folder.path, "large.db");
    const journal = await openJournal({ path, maxBytes: 1e9 });
    const batch = makeBatch(makeSamples(40_000));
    for (let index = 0; index < 70; index++) await journal.append({ batch });
    await journal.close();
    const before = statSync(path).size;
    const again = await openJournal({ path, maxBytes: 1e9 });
    await again.commit("sink", again.end() - 1);
    for (let step = 0; step < 6; step++) {
      await again.append({ batch: makeBatch(makeSamples(1)) });
      await again.commit("sink", again.end() - 1);
      await again.trim();
    }
    await again.close();
    assert.ok(statSync(path).size < before / 2, `${statSync(path).size} of ${before}`);
  });

  it("keeps the newest dead letters within an eighth of its cap", async () => {
    const journal = await open(80_000);
    for (let index = 0; index < 100; index++) {
      const batch = makeBatch(makeSamples(1, {}, index));
      await journal.commit("sink", 0, { deadLetters: [{ sink: "sink", time: index, reason: "bad", batch }] });
    }
    const letters = journal.dead.page({}, 0, 1000);
    assert.ok(letters.length > 10 && letters.length < 100, `${letters.length} are kept`);
    assert.deepStrictEqual(
      letters.map(({ time }) => time),
      letters.map((_, index) => 100 - letters.length + index),
    );
    assert.equal(letters.at(-1)?.batch.samples[0]?.value, 99);
  });
});

describe("changed()", () => {
  it("resolves at an append that stores a row, at a commit, at the signal, and at close", async () => {
    const journal = await open();
    for (const change of [
      () => journal.append({ batch: makeBatch(makeSamples(1)) }),
      () => journal.commit("sink", 1),
      () => journal.close(),
    ]) {
      const changed = journal.changed(never);
      await change();
      await changed;
    }
    await journal.changed(AbortSignal.abort());
    const stop = new AbortController();
    const changed = journal.changed(stop.signal);
    stop.abort();
    await changed;
  });

  it("stays quiet at an append that stores no row", async () => {
    const journal = await open();
    let rang = false;
    const stop = new AbortController();
    const changed = journal.changed(stop.signal).then(() => {
      rang = !stop.signal.aborted;
    });
    await journal.append({ batch: makeBatch([]) });
    stop.abort();
    await changed;
    assert.ok(!rang);
  });
});

describe("the state of an owner", () => {
  it("is scanned in byte order over many pages, with what is pending between", async () => {
    const journal = await open();
    const state = journal.state("o");
    const key = (index: number) => `run/${String(index).padStart(5, "0")}`;
    for (let index = 0; index < 3000; index += 2) state.set(key(index), "stored");
    await journal.append({ batch: makeBatch([]), owners: ["o"] });
    for (let index = 1; index < 3000; index += 2) state.set(key(index), "pending");
    state.delete(key(0));
    state.set(key(2), "pending");
    const seen = [...state.scan("run/")];
    assert.deepStrictEqual(
      seen.map(([found]) => found),
      Array.from({ length: 2999 }, (_, index) => key(index + 1)),
    );
    assert.equal(seen[1]?.[1], "pending");
    assert.deepStrictEqual([...state.scan("ru0")], []);
  });

  it("orders keys by the bytes of their UTF-8, and keeps every character of them", async () => {
    const journal = await open();
    const keys = ["", "\u0000", "a", "a\u0000", "a\u0000b", "b", "\uFEFFa", "\uFFFD", "\u{10000}", "\u{10FFFF}"];
    const entries = keys.map((key) => [key, `\uFEFF${key}`]);
    for (const key of keys.toReversed()) journal.state("o").set(key, `\uFEFF${key}`);
    assert.deepStrictEqual([...journal.state("o").scan("")], entries);
    await journal.append({ batch: makeBatch([]), owners: ["o"] });
    assert.deepStrictEqual([...journal.state("o").scan("")], entries);
    assert.deepStrictEqual(
      [...journal.state("o").scan("a\u0000")].map(([key]) => key),
      ["a\u0000", "a\u0000b"],
    );
  });

  it("keeps values of many megabytes, and its own copy of bytes", async () => {
    const journal = await open();
    const value = new Uint8Array(8 * 1024 ** 2).fill(7);
    journal.state("o").set("big", value);
    value.fill(0);
    await journal.commit("view", 0, { owners: ["o"] });
    const kept = journal.state("o").get("big");
    assert.ok(kept instanceof Uint8Array);
    assert.equal(kept.length, value.length);
    assert.ok(kept.every((byte) => byte === 7));
  });
});
