import { createReadStream } from "node:fs";
import { stdin } from "node:process";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { toIssues } from "../config/issues.ts";
import type { Batch } from "../model/batch.ts";
import { codeOf } from "../model/error-code.ts";
import { WorkError } from "../model/errors.ts";
import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import type { Source } from "../model/source.ts";

/**
 * Reads recorded samples instead of MLflow: one JSON object a line, as the console sink writes them; `-` is
 * stdin. The time of a batch is that of its newest sample, so that the same file gives the same bytes on every day.
 */
export function recordedSource(path: string): Source {
  return {
    async *read(): AsyncGenerator<Batch> {
      const runs = new Map<string, Run>();
      let samples: Sample[] = [];
      for await (const sample of readSamples(path, runs)) {
        samples.push(sample);
        if (samples.length < 10_000) continue;
        yield batchOf(samples, []);
        samples = [];
      }
      yield batchOf(samples, [...runs.values()]);
    },
  };
}

const text = v.optional(v.string(), "");
const texts = v.optional(v.record(v.string(), v.string()), {});
const recordedNumber = v.pipe(
  v.union([v.number(), v.picklist(["NaN", "Infinity", "-Infinity"]), v.null()]),
  v.transform((value) => (value === null ? Number.NaN : Number(value))),
);
const recordedRun = v.object({
  id: v.string(),
  name: text,
  experiment: v.object({ id: v.string(), name: v.string() }),
  status: v.optional(v.picklist(["running", "scheduled", "finished", "failed", "killed"]), "running"),
  startTime: v.optional(v.number(), 0),
  endTime: v.exactOptional(v.number()),
  user: text,
  stage: v.optional(v.string(), "None"),
  tags: texts,
  params: texts,
});
const recordedSample = v.object({
  name: v.string(),
  value: recordedNumber,
  time: v.number(),
  step: v.optional(v.number(), 0),
  run: v.exactOptional(recordedRun),
  labels: v.exactOptional(v.record(v.string(), v.string())),
});

async function* readSamples(path: string, runs: Map<string, Run>): AsyncGenerator<Sample> {
  const input = path === "-" ? stdin : createReadStream(path, "utf8");
  const place = path === "-" ? "stdin" : `"${path}"`;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (line.trim() === "") continue;
      const parsed = v.safeParse(recordedSample, parseLine(line, `${place} line ${number}`));
      if (!parsed.success) {
        const [issue] = toIssues(parsed.issues, "", () => []);
        const member = issue?.path ? `${issue.path}: ` : "";
        throw new WorkError(`Cannot read ${place} line ${number}: ${member}${issue?.message}`);
      }
      yield shareRun(parsed.output, runs);
    }
  } catch (cause) {
    if (cause instanceof WorkError) throw cause;
    const code = codeOf(cause);
    const why =
      code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : String(code ?? cause);
    throw new WorkError(`Cannot read the recorded samples ${place}: ${why}`, { cause });
  }
}

function parseLine(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new WorkError(`Cannot read ${place}: it is not JSON`, { cause });
  }
}

/** All samples of a run share the first object that describes it. */
function shareRun(sample: Sample, runs: Map<string, Run>): Sample {
  if (!sample.run) return sample;
  const run = runs.get(sample.run.id) ?? sample.run;
  runs.set(run.id, run);
  return { ...sample, run };
}

function batchOf(samples: readonly Sample[], runs: readonly Run[]): Batch {
  const time = samples.reduce((newest, sample) => Math.max(newest, sample.time), 0);
  return { time, samples, ended: [], runs };
}
