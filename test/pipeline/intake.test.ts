import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prometheus } from "../../plugins/prometheus.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { filter, label, mlflow, thin } from "../../src/index.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { silentLog } from "../../src/model/log.ts";
import { activateTransforms } from "../../src/pipeline/active-transforms.ts";
import { createIntake, sourceOwner } from "../../src/pipeline/intake.ts";
import { openView } from "../../src/pipeline/view-keeper.ts";
import { createView } from "../../src/view/create-view.ts";
import type { View } from "../../src/view/view.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

const resolving = { origin: "test", secrets: "warn" } as const;

describe("the intake", () => {
  it("forgets what a source has set when its batch was not taken", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1024 ** 2 });
    const view = createView({ max: 100, retentionMs: 1e15 });
    let broken = true;
    const context = {
      log: silentLog,
      signal: new AbortController().signal,
      now: Date.now,
      state: journal.state("transform/t"),
    };
    const transform = (batch: ReturnType<typeof makeBatch>) => {
      if (broken) throw new Error("once");
      return batch;
    };
    const intake = createIntake(journal, view, [{ id: "t", transform, context, folder: "/" }]);
    const state = journal.state(sourceOwner("s"));
    state.set("read", "up to here");
    await assert.rejects(intake.take("s", makeBatch(makeSamples(1))), /once/);
    assert.equal(state.get("read"), undefined);
    broken = false;
    await intake.take("s", makeBatch(makeSamples(1)));
    assert.equal(state.get("read"), undefined);
    assert.equal(journal.waiting(0).samples, 1);
    await journal.close();
  });

  it("keeps runs and facts when a transform gives samples and ended runs alone", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1024 ** 2 });
    const view = createView({ max: 100, retentionMs: 1e15 });
    const context = {
      log: silentLog,
      signal: new AbortController().signal,
      now: Date.now,
      state: journal.state("transform/t"),
    };
    const transform = ({ time, samples, ended }: ReturnType<typeof makeBatch>) => ({ time, samples, ended });
    const intake = createIntake(journal, view, [{ id: "t", transform, context, folder: "/" }]);
    await intake.take("s", makeBatch(makeSamples(1), { runs: [makeRun()] }));
    const { batches } = await journal.slice(0, { samples: 10, bytes: 1e6 });
    assert.equal(batches[0]?.runs?.length, 1);
    assert.equal(batches[0]?.source, "s");
    await journal.close();
  });

  it("counts what is not finite, and what no number holds exactly", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1024 ** 2 });
    const intake = createIntake(journal, createView({ max: 100, retentionMs: 1e15 }), []);
    const [sample] = makeSamples(1);
    assert.ok(sample);
    const samples = [{ step: 2 ** 53 }, { step: -(2 ** 60) }, { time: 2 ** 63 }, { value: Number.NaN }, {}];
    await intake.take("s", makeBatch(samples.map((change) => ({ ...sample, ...change }))));
    const counts = journal.ledger().map(({ scope, id, name, count }) => `${scope} ${id} ${name} ${count}`);
    assert.deepEqual(counts.toSorted(), [
      "source s nonfinite 1",
      "source s read 5",
      "source s rounded 3",
      "source s stored 5",
    ]);
    await journal.close();
  });

  it("shows the newest value of what thin drops, as later transforms make it, and no sink of points gets it", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1024 ** 2 });
    const options = { max: 100, retentionMs: 1e15 };
    const view = await openView(journal, options);
    const transforms = [thin({ interval: "1h" }), filter(({ name }) => name === "loss"), label({ env: "dev" })];
    const config = resolveConfig({ sources: [mlflow({})], transforms, sinks: [prometheus()] }, resolving);
    const context = { log: silentLog, signal: new AbortController().signal, now: Date.now };
    const intake = createIntake(journal, view, activateTransforms(config, journal, context));
    const samples = [...makeSamples(5), ...makeSamples(5, { name: "acc" })];
    await intake.take("s", makeBatch(samples, { runs: [makeRun()] }));
    await intake.take("s", makeBatch(makeSamples(7).slice(5)));
    const shown = (one: View) => one.latest(0).samples.filter(({ name }) => !name.startsWith("run_"));
    const [loss, ...others] = shown(view);
    assert.deepEqual([loss?.step, loss?.labels, others.length], [6, { env: "dev" }, 0]);
    assert.equal(journal.waiting(0).samples, 1);
    const count = (name: string) => journal.ledger().reduce((sum, row) => sum + (row.name === name ? row.count : 0), 0);
    assert.deepEqual([count("read"), count("filtered")], [12, 11]);
    // What a start after a kill shows.
    assert.deepEqual(shown(await openView(journal, options)), shown(view));
    await journal.close();
  });

  it("names a transform that gives no ended runs", async () => {
    const journal = await openJournal({ path: ":memory:", maxBytes: 1024 ** 2 });
    const view = createView({ max: 100, retentionMs: 1e15 });
    const context = {
      log: silentLog,
      signal: new AbortController().signal,
      now: Date.now,
      state: journal.state("transform/t"),
    };
    // As a user's JavaScript may, where the compiler is not asked.
    const transform = ({ samples }: ReturnType<typeof makeBatch>) => JSON.parse(JSON.stringify({ samples }));
    const intake = createIntake(journal, view, [{ id: "t", transform, context, folder: "/" }]);
    await assert.rejects(intake.take("s", makeBatch(makeSamples(1))), {
      name: "WorkError",
      message: 'Cannot use what the transform "t" gave: a batch needs a list of ended runs',
    });
    await journal.close();
  });
});
