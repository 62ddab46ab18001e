import type { Batch } from "../../src/model/batch.ts";
import type { Run } from "../../src/model/run.ts";
import type { Sample } from "../../src/model/sample.ts";
import type { View } from "../../src/view/view.ts";

export const day = 86_400_000;
export const now = Date.UTC(2026, 0, 31);

export function makeRun(id: string, change: Partial<Run> = {}): Run {
  return {
    id: id.padEnd(32, "0"),
    name: `run ${id}`,
    experiment: { id: "1", name: "vision" },
    status: "running",
    startTime: now - day,
    user: "ada",
    stage: "None",
    tags: {},
    params: {},
    ...change,
  };
}

export function makeSample(run: Run, name: string, value: number, change: Partial<Sample> = {}): Sample {
  return { name, value, time: now - 1000, step: 0, run, ...change };
}

export function makeBatch(change: Partial<Batch>): Batch {
  return { time: now, samples: [], ended: [], source: "mlflow", ...change };
}

/** What a page would show, without the series of the runs themselves. */
export function shown(view: View): Record<string, number> {
  const samples = view.latest(now).samples.filter(({ name }) => !name.startsWith("run_"));
  return Object.fromEntries(samples.map(({ series, value }) => [series?.id ?? "", value]));
}

/** All ids, which must be unique. */
export function ids(view: View): string[] {
  return view.latest(now).samples.map(({ series }) => series?.id ?? "");
}
