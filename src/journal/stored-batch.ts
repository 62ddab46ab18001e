import { crc32 } from "node:zlib";
import type { Batch } from "../model/batch.ts";
import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import { at, type BatchHeader, type BatchTail, readRun } from "./batch-header.ts";
import { layout, offsets } from "./batch-layout.ts";
import type { SliceLimit } from "./journal.ts";

/** A stored batch, opened but not yet made into samples: cutting it makes only the samples of the cut. */
export interface StoredBatch {
  /** Facts are not counted. */
  readonly samples: number;
  /** The size of its stored form. */
  readonly bytes: number;
  /** Estimated bytes of what comes with its end. */
  readonly tailCost: number;
  /** Returns how far a cut from `from` goes within the limits, but at least `least` samples, and its estimated bytes. */
  fit(from: number, limit: SliceLimit, least: 0 | 1): { readonly to: number; readonly cost: number };
  /** Makes the samples from `from` to before `to`; with the last one come ended runs, changed runs and facts. */
  cut(from: number, to: number): Batch;
}

/** Opens what `encodeBatch` made; throws an `Error` that says what is wrong when the bytes are damaged or newer. */
export function openStoredBatch(stored: Uint8Array): StoredBatch {
  const bytes = aligned(stored);
  const { rows, segments, header } = readParts(bytes);
  const places = offsets(rows, segments);
  const column = (offset: number) => new Float64Array(bytes.buffer, bytes.byteOffset + offset, rows);
  const segmentColumn = (offset: number) => new Uint32Array(bytes.buffer, bytes.byteOffset + offset, segments);
  const values = column(places.values);
  const times = column(places.times);
  const steps = column(places.steps);
  const firsts = segmentColumn(places.firsts);
  const runIndexes = segmentColumn(places.runs);
  const nameIndexes = segmentColumn(places.names);
  const labelIndexes = segmentColumn(places.labels);
  const runs = header.runs.map((row) => readRun(row, header.experiments));
  const facts = rows - (header.facts ?? 0);
  const samples = facts - (header.restored ?? 0);
  let tail: BatchTail | undefined;

  return {
    samples,
    bytes: bytes.length,
    tailCost: sampleBytes * (header.ended.length + (header.changed?.length ?? 0) + rows - samples),

    fit(from, limit, least) {
      let to = from;
      let cost = 0;
      const most = Math.min(samples, from + Math.max(limit.samples, least));
      for (let segment = segmentOf(from); to < most; segment++) {
        const each = segmentCost(segment);
        const wanted = Math.min(most, endOf(segment)) - to;
        const room = Math.floor((limit.bytes - cost) / each);
        const taken = Math.min(wanted, Math.max(room, to === from ? least : 0));
        if (taken > 0) {
          to += taken;
          cost += taken * each;
        }
        if (taken < wanted) break;
      }
      return { to, cost };
    },

    cut(from, to) {
      const batch = { time: header.time, samples: make(from, to), ended: noRuns, ...origin(header) };
      if (to < samples) return batch;
      // Shared by all who cut here, as the runs are.
      tail ??= makeTail();
      return { ...batch, ...tail };
    },
  };

  function makeTail(): BatchTail {
    const ended = header.ended.map(([run, deleted]) =>
      deleted === null ? at(runs, run) : { ...at(runs, run), deleted },
    );
    const changed = header.changed?.map((run) => at(runs, run));
    return {
      ended,
      ...(changed && { runs: changed }),
      ...(header.restored !== null && { restored: make(samples, facts) }),
      ...(header.facts !== null && { facts: make(facts, rows) }),
    };
  }

  /** The hot path: one literal per shape and no look-up per sample. */
  function make(from: number, to: number): Sample[] {
    const made: Sample[] = [];
    for (let index = from, segment = segmentOf(from); index < to; segment++) {
      const end = Math.min(to, endOf(segment));
      const name = at(header.names, nameIndexes[segment] ?? 0);
      const run = indexed(runs, runIndexes[segment]);
      const labels = indexed(header.labels, labelIndexes[segment]);
      for (; index < end; index++) {
        const value = values[index] ?? 0;
        const time = times[index] ?? 0;
        const step = steps[index] ?? 0;
        if (run === undefined)
          made.push(labels === undefined ? { name, value, time, step } : { name, value, time, step, labels });
        else
          made.push(labels === undefined ? { name, value, time, step, run } : { name, value, time, step, run, labels });
      }
    }
    return made;
  }

  function endOf(segment: number): number {
    return firsts[segment + 1] ?? rows;
  }

  /** Finds the segment of a sample by halving. */
  function segmentOf(index: number): number {
    let low = 0;
    let high = segments;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((firsts[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    return low;
  }

  function segmentCost(segment: number): number {
    let cost = sampleBytes + at(header.names, nameIndexes[segment] ?? 0).length;
    const labels = indexed(header.labels, labelIndexes[segment]);
    for (const name in labels) cost += name.length + (labels[name]?.length ?? 0);
    return cost;
  }
}

/** Decodes a whole batch; throws as `openStoredBatch` does. */
export function decodeBatch(bytes: Uint8Array): Batch {
  const stored = openStoredBatch(bytes);
  return stored.cut(0, stored.samples);
}

const sampleBytes = 100;
const noRuns: readonly Run[] = [];

function readParts(bytes: Uint8Array): { rows: number; segments: number; header: BatchHeader } {
  if (bytes.length < layout.prefixBytes) throw new Error(`only ${bytes.length} bytes are left`);
  const prefix = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = prefix.getUint32(layout.versionAt, true);
  if (version !== layout.version) throw new Error(`its form is ${version}, known is ${layout.version}`);
  if (prefix.getUint32(layout.crcAt, true) !== crc32(bytes.subarray(layout.bodyAt)))
    throw new Error("its checksum differs");
  const rows = prefix.getUint32(layout.samplesAt, true);
  const segments = prefix.getUint32(layout.segmentsAt, true);
  const text = new TextDecoder().decode(bytes.subarray(offsets(rows, segments).header));
  const header: BatchHeader = JSON.parse(text);
  return { rows, segments, header };
}

function origin({ source, group }: BatchHeader): Pick<Batch, "source" | "group"> {
  return { ...(source !== undefined && { source }), ...(group !== undefined && { group }) };
}

/** Resolves an index in which 0 means none. */
function indexed<Item>(items: readonly Item[], index: number | undefined): Item | undefined {
  return index === undefined || index === 0 ? undefined : at(items, index - 1);
}

function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
}
