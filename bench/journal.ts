/**
 * Prints how fast the journal is: its codec alone, and a file through append, slice, commit and trim.
 * `bun bench/journal.ts`, or `deno run -A bench/journal.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeBatch } from "../src/journal/encode-batch.ts";
import { openJournal } from "../src/journal/sqlite-journal.ts";
import { decodeBatch } from "../src/journal/stored-batch.ts";
import type { Batch } from "../src/model/batch.ts";
import type { Run } from "../src/model/run.ts";
import type { Sample } from "../src/model/sample.ts";

const batchSize = 10_000;
const rounds = 100;

for (const steps of [1, 100]) {
  const batch = makeBatch(steps);
  const bytes = encodeBatch(batch);
  console.log(
    `batches of ${batchSize} samples, ${steps} of a series in a row: ${bytes.length / batchSize} bytes a sample`,
  );
  report("encode", await measure(async () => void encodeBatch(batch)));
  report("decode", await measure(async () => void decodeBatch(bytes)));
  await measureJournal(batch);
}

async function measureJournal(batch: Batch): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
  const journal = await openJournal({ path: join(folder, "journal.db"), maxBytes: 2 ** 31 });
  await journal.commit("sink", 0);
  report("append", await measure(() => journal.append({ batch })));
  report("append, slice, commit and trim, 10 000 a slice", await measure(() => pass(10_000)));
  const backlog = journal.waiting(journal.position("sink")).samples;
  const started = performance.now();
  while (journal.position("sink") < journal.end()) await deliver(1000);
  report("slice, commit and trim of a backlog, 1000 a slice", (performance.now() - started) / (backlog / batchSize));
  report("append, slice, commit and trim, 1000 a slice", await measure(() => pass(1000)));
  await journal.close();
  rmSync(folder, { recursive: true });

  async function pass(samples: number): Promise<void> {
    await journal.append({ batch });
    for (let left = batchSize; left > 0; left -= samples) await deliver(samples);
  }

  async function deliver(samples: number): Promise<void> {
    const { next } = await journal.slice(journal.position("sink"), { samples, bytes: 2 ** 30 });
    const ledger = [{ scope: "sink", id: "sink", name: "delivered", reason: "", count: samples } as const];
    await journal.commit("sink", next, { ledger });
    await journal.trim();
  }
}

/** Returns the mean time of one call in ms, after a few to warm up. */
async function measure(work: () => Promise<void>): Promise<number> {
  for (let round = 0; round < rounds / 10; round++) await work();
  const started = performance.now();
  for (let round = 0; round < rounds; round++) await work();
  return (performance.now() - started) / rounds;
}

function report(name: string, batchMs: number): void {
  console.log(`  ${(batchSize / batchMs / 1000).toFixed(1).padStart(6)} M samples/s  ${name}`);
}

/** Makes runs of 20 metrics, each with `steps` points. */
function makeBatch(steps: number): Batch {
  const samples: Sample[] = [];
  for (let number = 0; samples.length < batchSize; number++) {
    const run = makeRun(`run${number}`);
    for (let metric = 0; metric < 20; metric++) {
      for (let step = 0; step < steps; step++) {
        samples.push({ name: `metric_${metric}`, value: Math.random(), time: 1.7e12 + step, step, run });
      }
    }
  }
  return { time: 1.7e12, samples: samples.slice(0, batchSize), ended: [] };
}

function makeRun(id: string): Run {
  const experiment = { id: "1", name: "bench" };
  return {
    id: id.padEnd(32, "0"),
    name: id,
    experiment,
    status: "running",
    startTime: 1.7e12,
    user: "ada",
    stage: "None",
    tags: { "mlflow.user": "ada", "mlflow.source.name": "train.py" },
    params: { lr: "0.1", layers: "12" },
  };
}
