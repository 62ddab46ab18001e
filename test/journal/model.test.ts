import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import type { Changes, DeadLetter, Journal, LedgerRow } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { StateValue } from "../../src/model/state.ts";
import { anyBatch } from "./arbitrary.ts";
import { makeFolder } from "./make.ts";
import { JournalModel } from "./model.ts";

const folder = makeFolder();
after(() => folder.remove());

/** The journal under test and the files it stands in. */
interface World {
  journal: Journal;
  path: string;
  generation: number;
  readonly opened: Journal[];
}

interface Step {
  readonly name: string;
  run(world: World, model: JournalModel): Promise<void>;
}

const plain = { noNullPrototype: true };
const consumers = fc.constantFrom("pramathus", "view", "file");
const owners = fc.constantFrom("source/mlflow", "view");
const keys = fc.oneof(
  fc.constantFrom("a", "a/", "a/1", "a/2", "a\u0000", "", "\uFFFD", "\u{10000}", "a/\u{10FFFF}"),
  fc.string({ maxLength: 2 }),
);
const values: fc.Arbitrary<StateValue> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 9 }),
  fc.constant("x\u0000y"),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => new Uint8Array(bytes)),
  fc.constant("ü".repeat(20_000)),
);
const ledgerRows: fc.Arbitrary<LedgerRow> = fc.record(
  {
    scope: fc.constantFrom("source", "sink", "transform"),
    id: fc.constantFrom("a", "b"),
    name: fc.constantFrom("read", "delivered", "dead"),
    reason: fc.constantFrom("", "http_400"),
    count: fc.integer({ min: 0, max: 1000 }),
  },
  plain,
);
const changes: fc.Arbitrary<Changes> = fc.record(
  {
    owners: fc.uniqueArray(owners),
    ledger: fc.array(ledgerRows, { maxLength: 3 }),
    deadLetters: fc.array(
      fc.record(
        {
          sink: consumers,
          time: fc.integer({ min: 0 }),
          reason: fc.constantFrom("bad", "a\u0000b"),
          batch: anyBatch,
        },
        plain,
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);
/** A place in the journal, whatever its length turns out to be. */
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const limits = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 60 }));

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(anyBatch, changes).map(([batch, rest]) => append(batch, rest)) },
  { weight: 4, arbitrary: fc.tuple(fraction, limits).map(([from, samples]) => slice(from, samples)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(consumers, limits, changes)
      .map(([consumer, samples, rest]) => advance(consumer, samples, rest)),
  },
  { weight: 1, arbitrary: fc.tuple(consumers, fraction).map(([consumer, to]) => jump(consumer, to)) },
  { weight: 1, arbitrary: consumers.map(forget) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(owners, keys, fc.option(values, { nil: undefined }))
      .map(([owner, key, value]) => change(owner, key, value)),
  },
  { weight: 2, arbitrary: fc.tuple(owners, keys).map(([owner, prefix]) => scan(owner, prefix)) },
  { weight: 2, arbitrary: fc.constant({ name: "trim", run: trim }) },
  { weight: 1, arbitrary: fc.constant({ name: "crash", run: crash }) },
  { weight: 1, arbitrary: fc.constant({ name: "reopen", run: reopen }) },
);

describe("the journal", () => {
  it("does what its model does, through appends, slices, commits, trims and crashes", { timeout: 60_000 }, async () => {
    let worlds = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40, size: "max" }), async (script) => {
        const path = join(folder.path, `${worlds++}.0`, "journal.db");
        mkdirSync(join(path, ".."));
        const journal = await openJournal({ path, maxBytes: 2 ** 30 });
        const world: World = { journal, path, generation: 0, opened: [journal] };
        const model = new JournalModel();
        try {
          for (const [index, step] of script.entries()) {
            try {
              await step.run(world, model);
              check(world.journal, model);
            } catch (cause) {
              const names = script.slice(0, index + 1).map(({ name }) => name);
              throw new Error(`${names.join(", ")}: ${cause}`, { cause });
            }
          }
          await readAll(world.journal, model);
        } finally {
          for (const opened of world.opened) await opened.close();
        }
      }),
      { numRuns: 250, interruptAfterTimeLimit: 15_000 },
    );
  });
});

/** Compares all that can be seen without changing anything. */
function check(journal: Journal, model: JournalModel): void {
  assert.equal(journal.end(), model.places.length);
  assert.deepStrictEqual(journal.consumers(), [...model.consumers.keys()].sort());
  for (const consumer of ["pramathus", "view", "file"]) {
    const position = model.consumers.get(consumer) ?? model.start;
    assert.equal(journal.position(consumer), position);
    assert.deepStrictEqual(journal.waiting(position), model.waiting(position));
  }
  assert.deepStrictEqual(new Set(journal.ledger()), new Set(model.ledger.values()));
  assert.deepStrictEqual(deadOf(journal, 3), model.deadLetters.slice(0, 3));
  assert.equal(journal.size().bytes > 0, model.start < model.places.length);
}

async function readAll(journal: Journal, model: JournalModel): Promise<void> {
  const whole = { samples: 1e9, bytes: 1e12 };
  assert.deepStrictEqual(await journal.slice(0, whole), model.slice(0, whole));
  assert.deepStrictEqual(deadOf(journal, 1000), model.deadLetters);
}

/** Without their numbers. */
function deadOf(journal: Journal, limit: number): readonly DeadLetter[] {
  return journal.dead.page({}, 0, limit).map(({ id: _, ...letter }) => letter);
}

function append(batch: Parameters<JournalModel["append"]>[0], rest: Changes): Step {
  return {
    name: `append ${batch.samples.length}`,
    async run({ journal }, model) {
      await journal.append({ batch, ...rest });
      model.append(batch, rest);
    },
  };
}

function slice(fraction: number, samples: number): Step {
  return {
    name: `slice ${fraction} ${samples}`,
    async run({ journal }, model) {
      const from = Math.floor(fraction * model.places.length);
      assert.deepStrictEqual(await journal.slice(from, { samples, bytes: 1e12 }), model.slice(from, { samples }));
      assert.deepStrictEqual(journal.waiting(from), model.waiting(from));
    },
  };
}

function advance(consumer: string, samples: number, rest: Changes): Step {
  return {
    name: `advance ${consumer} by ${samples}`,
    async run({ journal }, model) {
      const { next } = await journal.slice(journal.position(consumer), { samples, bytes: 1e12 });
      assert.equal(next, model.slice(model.consumers.get(consumer) ?? 0, { samples }).next);
      await journal.commit(consumer, next, rest);
      model.commit(consumer, next, rest);
    },
  };
}

function jump(consumer: string, fraction: number): Step {
  return {
    name: `jump ${consumer} to ${fraction}`,
    async run({ journal }, model) {
      const to = model.start + Math.floor(fraction * (model.places.length - model.start));
      await journal.commit(consumer, to);
      model.commit(consumer, to, {});
    },
  };
}

function forget(consumer: string): Step {
  return {
    name: `forget ${consumer}`,
    async run({ journal }, model) {
      await journal.forget(consumer);
      model.consumers.delete(consumer);
    },
  };
}

function change(owner: string, key: string, value: StateValue | undefined): Step {
  return {
    name: `${value === undefined ? "delete" : "set"} ${owner} ${JSON.stringify(key)}`,
    async run({ journal }, model) {
      if (value === undefined) journal.state(owner).delete(key);
      else journal.state(owner).set(key, value);
      model.set(owner, key, value);
      assert.deepStrictEqual(journal.state(owner).get(key), value);
    },
  };
}

function scan(owner: string, prefix: string): Step {
  return {
    name: `scan ${owner} ${JSON.stringify(prefix)}`,
    async run({ journal }, model) {
      const expected = [...model.seen(owner)]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      assert.deepStrictEqual([...journal.state(owner).scan(prefix)], expected);
      for (const [key, value] of expected) assert.deepStrictEqual(journal.state(owner).get(key), value);
    },
  };
}

async function trim({ journal }: World, model: JournalModel): Promise<void> {
  await journal.trim();
  model.trim();
}

/** Opens a copy of the files as they stand now, as the next process would find them. */
async function crash(world: World, model: JournalModel): Promise<void> {
  const dir = `${join(world.path, "..").replace(/\.\d+$/, "")}.${++world.generation}`;
  mkdirSync(dir);
  const path = join(dir, "journal.db");
  for (const suffix of ["", "-wal"]) {
    if (existsSync(world.path + suffix)) copyFileSync(world.path + suffix, path + suffix);
  }
  world.path = path;
  world.journal = await openJournal({ path, maxBytes: 2 ** 30 });
  world.opened.push(world.journal);
  model.crash();
}

async function reopen(world: World, model: JournalModel): Promise<void> {
  await world.journal.close();
  world.journal = await openJournal({ path: world.path, maxBytes: 2 ** 30 });
  world.opened.push(world.journal);
  model.crash();
}
