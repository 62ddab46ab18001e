import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Batch } from "../../src/model/batch.ts";
import type { Run } from "../../src/model/run.ts";
import type { Sample } from "../../src/model/sample.ts";

/** Makes a run that differs by its id. */
export function makeRun(id: string, change: Partial<Run> = {}): Run {
  return {
    id,
    name: `run ${id}`,
    experiment: { id: "1", name: "default" },
    status: "running",
    startTime: 1_700_000_000_000,
    user: "ada",
    stage: "None",
    tags: { team: "vision" },
    params: { lr: "0.1" },
    ...change,
  };
}

/** Makes `count` samples of one series whose values count up from `first`. */
export function makeSamples(count: number, change: Partial<Sample> = {}, first = 0): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    name: "loss",
    value: first + index,
    time: 1_700_000_000_000 + index,
    step: index,
    ...change,
  }));
}

export function makeBatch(samples: readonly Sample[], change: Partial<Batch> = {}): Batch {
  return { time: 1_700_000_000_000, samples, ended: [], ...change };
}

/** Makes an empty folder; `remove` deletes it with all that is in it. */
export function makeFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "mlmon-journal-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
