import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import type { Batch } from "../../src/model/batch.ts";
import { bed } from "../beds/bed.ts";
import { storeOf } from "../beds/mlflow-kind.ts";
import { type Following, follow } from "./follow.ts";
import { artifactsOf, compare, emittedPoints, serverPoints } from "./judge.ts";
import { context, type MemoryJournal, memoryJournal, options } from "./memory.ts";
import { countingProxy } from "./proxy.ts";
import { testWriter } from "./test-writer.ts";

const { skip, url } = await bed("mlflow");
const writer = testWriter(url);
const store = skip ? undefined : await storeOf(url);
const timeout = 120_000;
const fast = { sweepMs: 50, sweepPause: 1, experimentsMs: 200, modelsMs: 300 };

/** Runs a test with a source that follows one new experiment. */
async function following(
  name: string,
  test: (at: { id: string; journal: MemoryJournal; source: Following; name: string }) => Promise<void>,
  limits = {},
): Promise<void> {
  const unique = `${name} ${Date.now()}`;
  const id = await writer.createExperiment(unique);
  const journal = memoryJournal();
  const made = mlflowSource(options(url, { experiments: [unique], interval: "200ms" }), { ...fast, ...limits });
  const source = follow(made, journal);
  try {
    await source.until("the first poll", () => source.polls.length > 0);
    await test({ id, journal, source, name: unique });
  } finally {
    await source.stop();
  }
}

const now = () => Date.now();
const point = (key: string, value: number, timestamp = now(), step = 0) => ({ key, value, timestamp, step });
const newRun = (experiment: string, name: string) => writer.createRun(experiment, { name, startTime: now() });
const has = (run: string, key: string) => (batches: readonly Batch[]) =>
  batches.some(({ samples }) => samples.some((sample) => sample.run?.id === run && sample.name === key));
const ends =
  (run: string, deleted = false) =>
  (batches: readonly Batch[]) =>
    batches.flatMap(({ ended }) => ended).find((each) => each.id === run && (each.deleted ?? false) === deleted);

async function assertExact(journal: MemoryJournal, run: string): Promise<void> {
  assert.deepEqual(compare(await serverPoints(url, run), emittedPoints(journal.batches, run)), {
    missing: [],
    extra: [],
  });
}

describe("mlflow source follows the life of runs", { skip }, () => {
  it("shows a run that starts, logs and ends", { timeout }, () =>
    following("life", async ({ id, journal, source }) => {
      const run = await newRun(id, "r");
      await source.until("the run", (batches) => batches.some(({ runs = [] }) => runs.some((each) => each.id === run)));
      await writer.logBatch(run, [point("loss", 1)]);
      await source.until("its point", has(run, "loss"));
      await writer.setTag(run, "mlflow.model.stage", "Production");
      await source.until("its stage", (batches) =>
        batches.some(({ runs = [] }) => runs.some((each) => each.id === run && each.stage === "Production")),
      );
      await writer.logBatch(run, [point("loss", 0.5, now(), 1)]);
      await writer.updateRun(run, { status: "FINISHED", endTime: now() });
      const ended = await source.until("its end", ends(run));
      assert.equal(ended.status, "finished");
      await assertExact(journal, run);
    }),
  );

  it("sees runs that are born and end between two polls, and ends without a time", { timeout }, () =>
    following("short", async ({ id, journal, source }) => {
      const dead = await newRun(id, "born and dead");
      await writer.logBatch(dead, [point("x", 1)]);
      await writer.updateRun(dead, { status: "FAILED", endTime: now() });
      const timeless = await newRun(id, "no end_time");
      await source.until("the second run", (batches) =>
        batches.some(({ runs = [] }) => runs.some((r) => r.id === timeless)),
      );
      await writer.logBatch(timeless, [point("x", 1)]);
      await writer.updateRun(timeless, { status: "KILLED" });
      await source.until("both ends", (batches) => ends(dead)(batches) && ends(timeless)(batches));
      await assertExact(journal, dead);
      await assertExact(journal, timeless);
    }),
  );

  it("finds points logged to a finished run, with old times and lower steps too", { timeout }, () =>
    following(
      "late",
      async ({ id, journal, source }) => {
        const run = await newRun(id, "late");
        const t = now();
        await writer.logBatch(run, [point("x", 1, t, 5), point("x", 2, t + 1, 6)]);
        await writer.updateRun(run, { status: "FINISHED", endTime: t - 10_000_000 });
        await source.until("the end", ends(run));
        await writer.logBatch(run, [point("x", 3, t - 5000, 1), point("y", 1, t)]);
        await writer.logBatch(run, [point("x", 4, t - 6000, 9)]);
        const all = (batches: readonly Batch[]) => emittedPoints(batches, run).length === 5;
        await source.until("the late points", all);
        await assertExact(journal, run);
      },
      { graceMs: 0 },
    ),
  );

  it("ends deleted runs at once and brings restored ones back without their points", { timeout }, () =>
    following("deleted", async ({ id, journal, source }) => {
      const live = await newRun(id, "live");
      const old = await newRun(id, "old");
      for (const run of [live, old]) await writer.logBatch(run, [point("x", 1), point("x", 2, now(), 1)]);
      await writer.updateRun(old, { status: "FINISHED", endTime: 1 });
      await source.until("the end", ends(old));
      await source.until("the points", has(live, "x"));
      for (const run of [live, old]) await writer.deleteRun(run);
      await source.until("the deletions", (batches) => ends(live, true)(batches) && ends(old, true)(batches));
      for (const run of [live, old]) await writer.restoreRun(run);
      const restored = (run: string) => (batches: readonly Batch[]) =>
        batches.flatMap((batch) => batch.restored ?? []).find((sample) => sample.run?.id === run);
      const sample = await source.until("the old run", restored(old));
      await source.until("the live run", restored(live));
      assert.equal(sample.value, 2);
      await assertExact(journal, live);
      await assertExact(journal, old);
    }),
  );

  const unknown = store === "SqlStore" ? false : "only SQL stores that say so give ids that can be told beforehand";
  const why = unknown ? ` (${unknown})` : "";
  it(`sees a new experiment at the next poll, at no more requests${why}`, { timeout, skip: unknown }, async () => {
    const prefix = `new ${now()}`;
    await writer.createRun(await writer.createExperiment(`${prefix} first`), { startTime: now() });
    const proxy = await countingProxy(url);
    const journal = memoryJournal();
    const never = { experimentsMs: 1e9, modelsMs: 1e9, sweepMs: 1e9 };
    const made = mlflowSource(options(proxy.url, { experiments: [`${prefix}*`], interval: "200ms" }), never);
    const source = follow(made, journal);
    const lists = () => proxy.seen.filter(({ path }) => path.endsWith("/experiments/search")).length;
    try {
      await source.until("the first polls", () => source.polls.length > 1);
      assert.equal(lists(), 1);
      // One that is not to be read costs the list once, not at each poll.
      await newRun(await writer.createExperiment(`other ${prefix}`), "other");
      await source.until("a second list", () => lists() === 2);
      const live = await newRun(await writer.createExperiment(`${prefix} live`), "live");
      await writer.logBatch(live, [point("x", 1)]);
      await source.until("the live run", has(live, "x"));
      const dead = await newRun(await writer.createExperiment(`${prefix} dead`), "dead");
      await writer.logBatch(dead, [point("x", 1), point("x", 2, now(), 1)]);
      await writer.updateRun(dead, { status: "FINISHED", endTime: now() });
      await source.until("the run that has ended", ends(dead));
      const polls = source.polls.length;
      await source.until("more polls", () => source.polls.length > polls + 3);
      assert.ok(lists() <= 5, `${lists()} lists`);
      for (const run of [live, dead]) await assertExact(journal, run);
      assert.ok(!journal.batches.some(({ runs = [] }) => runs.some((run) => run.name === "other")));
    } finally {
      await source.stop();
      proxy.close();
    }
  });

  it("goes on with a resumed run where it was", { timeout }, () =>
    following("resumed", async ({ id, journal, source }) => {
      const run = await newRun(id, "resumed");
      await writer.logBatch(run, [point("x", 1)]);
      await writer.updateRun(run, { status: "FINISHED", endTime: now() });
      await source.until("the end", ends(run));
      await writer.updateRun(run, { status: "RUNNING" });
      await writer.logBatch(run, [point("x", 2, now(), 1), point("z", 1)]);
      await source.until("the new point", has(run, "z"));
      const last = journal.batches
        .flatMap(({ runs = [] }) => runs)
        .filter((each) => each.id === run)
        .at(-1);
      assert.equal(last?.status, "running");
      await assertExact(journal, run);
    }),
  );

  it("ends the runs of a deleted experiment and brings them back with it", { timeout }, () =>
    following("gone", async ({ id, journal, source }) => {
      const live = await newRun(id, "live");
      const old = await newRun(id, "old");
      for (const run of [live, old]) await writer.logBatch(run, [point("x", 1)]);
      await writer.updateRun(old, { status: "FINISHED", endTime: 1 });
      await source.until("both", (batches) => ends(old)(batches) && has(live, "x")(batches));
      await writer.deleteExperiment(id);
      await source.until("the ends", (batches) => ends(live, true)(batches) && ends(old, true)(batches));
      await writer.restoreExperiment(id);
      await source.until("their return", (batches) => {
        const back = new Set(batches.flatMap((batch) => batch.restored ?? []).map((sample) => sample.run?.id));
        return back.has(live) && back.has(old);
      });
      await assertExact(journal, live);
      await assertExact(journal, old);
    }),
  );

  it("counts runs by experiment and status, and names the versions of models", { timeout }, () =>
    following("facts", async ({ id, source, name }) => {
      const run = await newRun(id, "a");
      await newRun(id, "b");
      await writer.updateRun(run, { status: "FINISHED", endTime: now() });
      const model = `model ${now()}`;
      await writer.createModel(model);
      await writer.createModelVersion(model, `${await artifactsOf(url, run)}/model`, run);
      await writer.setModelAlias(model, "champion", "1");
      const latest = (batches: readonly Batch[], fact: string) =>
        batches.flatMap(({ facts = [] }) =>
          facts.filter((each) => each.name === fact).map((each) => ({ ...each, time: 0 })),
        );
      await source.until("the counts", (batches) => {
        const found = latest(batches, "runs").slice(-2);
        return found.every(({ value }) => value === 1) && new Set(found.map(({ labels }) => labels?.status)).size === 2;
      });
      const version = await source.until("the model", (batches) =>
        latest(batches, "model_version_info").find(
          ({ labels }) => labels?.name === model && labels.alias === "champion",
        ),
      );
      assert.deepEqual(version.labels, {
        name: model,
        version: "1",
        alias: "champion",
        stage: "None",
        run_id: run.slice(0, 8),
      });
      await source.until("the experiment", (batches) => latest(batches, "experiments").at(-1)?.value === 1);
      await source.until("up", (batches) => latest(batches, "up").at(-1)?.value === 1);
      assert.ok(name);
    }),
  );

  it("reads only the latest values when no sink wants points", { timeout }, async () => {
    const name = `latest ${now()}`;
    const id = await writer.createExperiment(name);
    const run = await newRun(id, "r");
    await writer.logBatch(run, [point("x", 1), point("x", 2, now(), 1)]);
    const journal = memoryJournal();
    const made = mlflowSource(options(url, { experiments: [name] }));
    for await (const batch of made.read(context(journal, { consumes: "latest" }))) journal.take(batch);
    const values = journal.batches.flatMap(({ samples }) => samples.map(({ value }) => value));
    assert.deepEqual(values, [2]);
  });
});
