import { crc32 } from "node:zlib";
import type { Batch } from "../model/batch.ts";
import type { Experiment, Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import type { RunRow } from "./batch-header.ts";
import { layout, offsets } from "./batch-layout.ts";
import { TextTable } from "./text-table.ts";

/** Encodes a batch for the journal, in the form of `batch-layout.ts`; `series` of samples is not kept. */
export function encodeBatch(batch: Batch): Uint8Array {
  const tables = createTables();
  const { samples, restored = [], facts = [] } = batch;
  const rows = restored.length + facts.length > 0 ? [...samples, ...restored, ...facts] : samples;
  const segments = findSegments(rows, tables);
  const header = new TextEncoder().encode(headerJson(batch, tables));
  const places = offsets(rows.length, segments.count);
  const bytes = new Uint8Array(places.header + header.length);

  // Columns are in the byte order of the machine: little-endian on all that Bun and Deno run on.
  const values = new Float64Array(bytes.buffer, places.values, rows.length);
  const times = new Float64Array(bytes.buffer, places.times, rows.length);
  const steps = new Float64Array(bytes.buffer, places.steps, rows.length);
  let index = 0;
  for (const sample of rows) {
    values[index] = sample.value;
    times[index] = sample.time;
    steps[index] = sample.step;
    index++;
  }
  new Uint32Array(bytes.buffer, places.firsts, segments.count * 4).set(segments.columns);
  bytes.set(header, places.header);

  const prefix = new DataView(bytes.buffer);
  prefix.setUint32(layout.versionAt, layout.version, true);
  prefix.setUint32(layout.samplesAt, rows.length, true);
  prefix.setUint32(layout.segmentsAt, segments.count, true);
  prefix.setUint32(layout.crcAt, crc32(bytes.subarray(layout.bodyAt)), true);
  return bytes;
}

interface Tables {
  readonly experiments: TextTable<Experiment>;
  readonly runs: TextTable<Run>;
  readonly labels: TextTable<Readonly<Record<string, string>>>;
  readonly names: Map<string, number>;
}

function createTables(): Tables {
  const experiments = new TextTable<Experiment>(({ id, name }) => ({ id, name }));
  const runs = new TextTable<Run>(
    (run): RunRow => [
      run.id,
      run.name,
      experiments.index(run.experiment),
      run.status,
      run.startTime,
      run.endTime ?? null,
      run.user,
      run.stage,
      run.tags,
      run.params,
    ],
  );
  return { experiments, runs, labels: new TextTable((labels) => labels), names: new Map() };
}

/** Returns the four columns of the segments, one after the other. */
function findSegments(rows: readonly Sample[], tables: Tables): { count: number; columns: Uint32Array } {
  const firsts: number[] = [];
  const runs: number[] = [];
  const names: number[] = [];
  const labels: number[] = [];
  let last: Sample | undefined;
  let index = 0;
  for (const sample of rows) {
    // A series comes in stretches, so most samples cost three comparisons and no look-up.
    if (last === undefined || sample.name !== last.name || sample.run !== last.run || sample.labels !== last.labels) {
      firsts.push(index);
      runs.push(sample.run === undefined ? 0 : tables.runs.index(sample.run) + 1);
      names.push(nameIndex(tables.names, sample.name));
      labels.push(sample.labels === undefined ? 0 : tables.labels.index(sample.labels) + 1);
      last = sample;
    }
    index++;
  }
  const count = firsts.length;
  const columns = new Uint32Array(count * 4);
  columns.set(firsts, 0);
  columns.set(runs, count);
  columns.set(names, 2 * count);
  columns.set(labels, 3 * count);
  return { count, columns };
}

function nameIndex(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

/** Writes a `BatchHeader`; the rows of its tables are JSON already. */
function headerJson(batch: Batch, tables: Tables): string {
  const ended = batch.ended.map((run) => [tables.runs.index(run), run.deleted ?? null]);
  const changed = batch.runs?.map((run) => tables.runs.index(run)) ?? null;
  const rest = JSON.stringify({
    time: batch.time,
    source: batch.source,
    group: batch.group,
    names: [...tables.names.keys()],
    ended,
    changed,
    facts: batch.facts?.length ?? null,
    restored: batch.restored?.length ?? null,
  });
  const { experiments, runs, labels } = tables;
  return `{"experiments":${experiments.toJson()},"runs":${runs.toJson()},"labels":${labels.toJson()},${rest.slice(1)}`;
}
