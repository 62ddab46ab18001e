import { plural } from "../model/plural.ts";

/** The time between two moments in Unix ms, in the largest fitting unit: `"12 s"`, `"3 min"`, `"5 h"`, `"2 d"`. */
export function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A length of time in the largest unit that divides it: `"250 ms"`, `"90 s"`, `"1 h"`. */
export function span(ms: number): string {
  const units = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1000, ms: 1 };
  const [unit = "ms", size = 1] = Object.entries(units).find(([, each]) => Math.round(ms) % each === 0) ?? [];
  return `${Math.round(ms) / size} ${unit}`;
}

/** Samples, counted: `"1 sample"`, `"1 234 samples"`. */
export function samples(value: number): string {
  return plural(value, "sample", count(value));
}

/** A count with its thousands apart: `"1 234 567"`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Bytes in the largest fitting binary unit: `"1.5 MiB"`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  const scaled = value / 1024 ** power;
  return `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[power]}`;
}
