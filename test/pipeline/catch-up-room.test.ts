import assert from "node:assert/strict";
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { activateSink } from "../../src/delivery/activate.ts";
import { defineSource, v } from "../../src/index.ts";
import { auditLedger } from "../../src/journal/audit.ts";
import { createBell } from "../../src/journal/bell.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { type Log, silentLog } from "../../src/model/log.ts";
import { catchUp } from "../../src/pipeline/catch-up.ts";
import { placeNew } from "../../src/pipeline/consumers.ts";
import { historyFile } from "../../src/pipeline/history-files.ts";
import { temporaryFolder, until } from "../beds/wait.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

const many = defineSource("many", v.strictObject({}), () => ({
  rereads: true,
  async *read() {
    for (let batch = 0; batch < 50; batch++) yield makeBatch(makeSamples(100, { step: batch }), { runs: [makeRun()] });
  },
}));

/** Gives a new sink a place in a journal that no longer holds what it is to have. */
async function placeSink(journal: Journal) {
  await journal.append({ batch: makeBatch(makeSamples(10)) });
  await journal.commit("sink/other", journal.end());
  await journal.trim();
  const sinks = [pramathus({ endpoint: "http://127.0.0.1:1" }, { id: "new" })];
  const config = resolveConfig({ sources: [many()], sinks }, { origin: "test", secrets: "ignore" });
  await placeNew(journal, [{ id: "new", catchesUp: true }]);
  const [resolved] = config.sinks;
  assert.ok(resolved);
  return { config, resolved };
}

describe("the history of a new sink", () => {
  it("that would fill the disk is removed, and what to do is said", async () => {
    await using folder = await temporaryFolder();
    const journal = await openJournal({ path: ":memory:", maxBytes: 1e9 });
    const { config, resolved } = await placeSink(journal);
    const sink = activateSink(resolved, { send: async () => ({ kind: "stopped" }), now: Date.now });
    const lines: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (message, fields) => void lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const stop = new AbortController();
    const { signal } = stop;
    const ctx = { log, now: Date.now, signal, state: journal.state("sink/new"), ownMetrics: async () => "" };
    const small = { ...journal, size: () => ({ ...journal.size(), freeBytes: 50_000 }) };
    const catching = catchUp(
      sink,
      ctx,
      { leave: signal, end: signal },
      {
        journal: small,
        folder: folder.path,
        config: () => config,
        caughtByReading: async () => {},
        yields: () => false,
      },
    );
    await until(() => sink.status.state === "paused");
    assert.match(sink.status.lastError?.reason ?? "", /catch-up-new-.*half of the room on its disk.*startFrom: "now"/);
    assert.equal(lines.length, 1);
    assert.deepEqual(await readdir(folder.path), []);
    stop.abort();
    assert.equal(await catching, false);
    await journal.close();
  });

  for (const [when, full] of [
    ["before it", (journal: Journal) => journal],
    ["just after a look", fullAfterLook],
  ] as const) {
    it(`holds up nobody while it is read for a sink that gives way, where the journal runs full ${when}`, async () => {
      await using folder = await temporaryFolder();
      const journal = await openJournal({ path: ":memory:", maxBytes: 5000 });
      await journal.append({ batch: makeBatch(makeSamples(10)) });
      await journal.commit("sink/other", journal.end());
      await journal.trim();
      const gate = Promise.withResolvers<void>();
      const gated = defineSource("gated", v.strictObject({}), () => ({
        rereads: true,
        async *read() {
          await gate.promise;
          yield makeBatch(makeSamples(10));
        },
      }));
      const sinks = [pramathus({ endpoint: "http://127.0.0.1:1" }, { id: "new", whenFull: "drop-oldest" })];
      const config = resolveConfig({ sources: [gated()], sinks }, { origin: "test", secrets: "ignore" });
      await placeNew(journal, [{ id: "new", catchesUp: true }]);
      while (!journal.size().full) {
        await journal.append({ batch: makeBatch(makeSamples(10, { name: `later ${journal.stored()}` })) });
      }
      await journal.commit("sink/other", journal.end());
      await journal.trim();
      const [resolved] = config.sinks;
      assert.ok(resolved);
      const take = async () => ({ kind: "answered", response: new Response() }) as const;
      const sink = activateSink(resolved, { send: take, now: Date.now });
      const { signal } = new AbortController();
      const ctx = {
        log: silentLog,
        now: Date.now,
        signal,
        state: journal.state("sink/new"),
        ownMetrics: async () => "",
      };
      const catching = catchUp(
        sink,
        ctx,
        { leave: signal, end: signal },
        {
          journal: full(journal),
          folder: folder.path,
          config: () => config,
          caughtByReading: async () => {},
          yields: () => false,
        },
      );
      await until(() => !journal.size().full, 5000, "room");
      gate.resolve();
      assert.equal(await catching, true);
      const mismatches = auditLedger(journal).filter((line) => line.startsWith('sink "new"'));
      assert.deepEqual(mismatches, []);
      await journal.close();
    });
  }

  it("is not read again after a power cut that comes just after its end", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "journal.db");
    const journal = await openJournal({ path, maxBytes: 1e9 });
    const { config, resolved } = await placeSink(journal);
    const take = async () => ({ kind: "answered", response: new Response() }) as const;
    const sink = activateSink(resolved, { send: take, now: Date.now });
    const { signal } = new AbortController();
    const ctx = { log: silentLog, now: Date.now, signal, state: journal.state("sink/new"), ownMetrics: async () => "" };
    const world = { folder: folder.path, config: () => config, caughtByReading: async () => {}, yields: () => false };
    assert.equal(await catchUp(sink, ctx, { leave: signal, end: signal }, { ...world, journal }), true);
    // What the disk is sure to have: not the file to which steps are written first.
    const left = join(folder.path, "left.db");
    await copyFile(path, left);
    const after = await openJournal({ path: left, maxBytes: 1e9 });
    assert.equal(historyFile(after, "new"), undefined);
    assert.equal(after.position("sink/new"), journal.position("sink/new"));
    await after.close();
    await journal.close();
  });
});

/** The journal, full from the moment on at which somebody has just been told that it is not. */
function fullAfterLook(journal: Journal): Journal {
  const bell = createBell();
  let isTold = false;
  function tell(): void {
    isTold = true;
    bell.ring();
  }
  const size = () => {
    const now = journal.size();
    return {
      ...now,
      get full() {
        if (!isTold) queueMicrotask(tell);
        return now.full && isTold;
      },
    };
  };
  const changed = (signal: AbortSignal) => Promise.race([journal.changed(signal), bell.wait(signal)]);
  return { ...journal, size, changed };
}
