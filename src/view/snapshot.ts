import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { WorkError } from "../model/errors.ts";
import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { type Labels, labelsText, runLabels } from "../prometheus/series.ts";
import type { LiveRun, LiveSeries, Metric, OwnLabels } from "./live-run.ts";

/** Everything a view holds. */
export interface SnapshotParts {
  readonly version: number;
  readonly factsVersion: number;
  readonly runs: readonly LiveRun[];
  readonly facts: readonly (readonly [source: string, facts: readonly Sample[]])[];
  readonly refused: readonly (readonly [key: string, count: number])[];
}

/** Writes a prefix, a JSON header with every text once, and three columns of numbers. */
export function encodeSnapshot({ runs, facts, ...rest }: SnapshotParts): Uint8Array {
  const metrics = new Map<Metric, number>();
  const total = runs.reduce((sum, { series }) => sum + series.size, 0);
  const columns = new Float64Array(total * 3);
  let row = 0;
  const storedRuns = runs.map((live): StoredRun => {
    const { run, label, source, lastMetricTime, endedAt } = live;
    const series = [...live.series.values()].map(({ metric, own, value, time, step }): StoredSeries => {
      columns.set([value, time, step], 3 * row++);
      const index = metrics.get(metric) ?? metrics.size;
      metrics.set(metric, index);
      return own ? [index, own.labels, own.given] : index;
    });
    return { run, label, source, lastMetricTime, endedAt, version: live.version, series };
  });
  const header: Header = {
    ...rest,
    metrics: [...metrics.keys()],
    runs: storedRuns,
    facts: facts.map(storeFacts),
  };
  const json = Buffer.from(JSON.stringify(header));
  const body = Buffer.concat([json, Buffer.from(columns.buffer)]);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(form, 0);
  prefix.writeUInt32LE(crc32(body), 4);
  prefix.writeUInt32LE(json.length, 8);
  return Buffer.concat([prefix, body]);
}

/** Reads what `encodeSnapshot` wrote; throws `WorkError` for another form or damaged bytes. */
export function decodeSnapshot(bytes: Uint8Array): SnapshotParts {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < prefixBytes) throw unreadable(`it has only ${buffer.length} bytes`);
  const found = buffer.readUInt32LE(0);
  if (found !== form) throw unreadable(`its form is ${found}, known is ${form}`);
  const body = buffer.subarray(prefixBytes);
  if (buffer.readUInt32LE(4) !== crc32(body)) throw unreadable("its checksum differs");
  const jsonLength = buffer.readUInt32LE(8);
  const { metrics, runs, facts, ...rest }: Header = JSON.parse(body.toString("utf8", 0, jsonLength));
  // A copy, as the columns must start at a multiple of 8.
  const columns = new Float64Array(new Uint8Array(body.subarray(jsonLength)).buffer);
  let row = 0;
  const liveRuns = runs.map(({ series: stored, ...kept }): LiveRun => {
    const labels = runLabels(kept.run, kept.label);
    const series = new Map<string, LiveSeries>();
    for (const item of stored) {
      const [index, own] = typeof item === "number" ? [item, undefined] : readOwn(item);
      const metric = metrics[index] ?? { key: "", name: "" };
      const [value, time, step] = [columns[row] ?? 0, columns[row + 1] ?? 0, columns[row + 2] ?? 0];
      row += 3;
      series.set(own ? `${metric.name}{${own.text}` : metric.name, { metric, own, value, time, step });
    }
    return { ...kept, source: kept.source, endedAt: kept.endedAt, labels, text: labelsText(labels), series };
  });
  return { ...rest, runs: liveRuns, facts: facts.map(readFacts) };
}

const form = 1;
const prefixBytes = 12;

interface Header extends Omit<SnapshotParts, "runs" | "facts"> {
  readonly metrics: readonly Metric[];
  readonly runs: readonly StoredRun[];
  readonly facts: readonly (readonly [source: string, facts: readonly StoredFact[]])[];
}

interface StoredRun extends Pick<LiveRun, "label" | "source" | "lastMetricTime" | "endedAt" | "version"> {
  readonly run: Run;
  readonly series: readonly StoredSeries[];
}

/** JSON has no NaN, infinity or negative zero. */
type StoredFact = Omit<Sample, "value"> & { readonly value: string };

/** The index of the metric, with labels where there are any. */
type StoredSeries = number | readonly [metric: number, labels: Labels, given: Labels | undefined];

function readOwn([index, labels, given]: Exclude<StoredSeries, number>): [number, OwnLabels] {
  return [index, { given: given ?? undefined, labels, text: labelsText(labels) }];
}

function storeFacts([source, facts]: SnapshotParts["facts"][number]): Header["facts"][number] {
  return [source, facts.map((fact) => ({ ...fact, value: textOf(fact.value) }))];
}

function textOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function readFacts([source, facts]: Header["facts"][number]): SnapshotParts["facts"][number] {
  return [source, facts.map((fact) => ({ ...fact, value: Number(fact.value) }))];
}

function unreadable(why: string): WorkError {
  return new WorkError(`Cannot restore the latest values as ${why}: start with a new state folder`);
}
