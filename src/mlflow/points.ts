import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";

/** A 64-bit integer: a number while that is exact, else its text. */
export type Int64 = number | string;

/** One point of a series exactly as MLflow answers it, so that two answers can be compared. */
export interface Point {
  readonly value: number;
  readonly timestamp: Int64;
  readonly step: Int64;
}

/** Reads one metric row, or nothing when it is none; hand-written because it meets every point. */
export function readPoint(row: unknown): Point | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const value = "value" in row ? readValue(row.value) : undefined;
  const timestamp = "timestamp" in row ? readInt64(row.timestamp) : 0;
  const step = "step" in row ? readInt64(row.step) : 0;
  if (value === undefined || timestamp === undefined || step === undefined) return undefined;
  return { value, timestamp, step };
}

/** Compares every field; NaN equals NaN. */
export function samePoint(a: Point | undefined, b: Point | undefined): boolean {
  if (!a || !b) return a === b;
  return Object.is(a.value, b.value) && a.timestamp === b.timestamp && a.step === b.step;
}

/** Makes a sample. SQL stores keep an infinity as the largest finite number, which here becomes the infinity again. */
export function toSample(name: string, point: Point, run: Run): Sample {
  return { name, value: logged(point.value), time: Number(point.timestamp), step: Number(point.step), run };
}

/** Writes a point as JSON values for the state; `unpackPoint` reads it. */
export function packPoint({ value, timestamp, step }: Point): PackedPoint {
  const text = Object.is(value, -0) ? "-0" : String(value);
  return [Number.isFinite(value) && value !== 0 ? value : text, timestamp, step];
}

/** A point as it is stored in the state. */
export type PackedPoint = readonly [value: number | string, timestamp: Int64, step: Int64];

/** Makes a point of what was stored. */
export function unpackPoint([value, timestamp, step]: PackedPoint): Point {
  return { value: Number(value), timestamp, step };
}

/**
 * Writes a hash of 8 bytes at `index` (in 8 bytes) of the target: murmur-like mixing of value, timestamp and step.
 * 64 bits make a wrong match in a series of a million points less likely than one in ten million.
 */
export function hashPoint({ value, timestamp, step }: Point, target: Uint32Array, index: number): void {
  floats[0] = Number.isNaN(value) ? Number.NaN : value;
  writeInt64(timestamp, 1);
  writeInt64(step, 2);
  let low = 0x9e3779b9;
  let high = 0x85ebca6b;
  for (const word of words) {
    low = Math.imul(low ^ word, 0xcc9e2d51);
    low = ((low << 15) | (low >>> 17)) + high;
    high = Math.imul(high ^ word, 0x1b873593);
    high = ((high << 13) | (high >>> 19)) + Math.imul(low, 5);
  }
  target[2 * index] = finish(low ^ high);
  target[2 * index + 1] = finish(Math.imul(high, 0x27d4eb2f) ^ low);
}

const floats = new Float64Array(3);
const words = new Uint32Array(floats.buffer);
const longs = new BigInt64Array(floats.buffer);

function writeInt64(value: Int64, index: number): void {
  if (typeof value === "number") floats[index] = value;
  else longs[index] = BigInt(value);
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function logged(value: number): number {
  if (value === Number.MAX_VALUE) return Number.POSITIVE_INFINITY;
  return value === -Number.MAX_VALUE ? Number.NEGATIVE_INFINITY : value;
}

function readValue(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : undefined;
}

/** The answer's parser leaves text where a number would not be exact; small integers in text are numbers all the same. */
function readInt64(value: unknown): Int64 | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^-?\d+$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
