import type { SQLOutputValue } from "node:sqlite";

/** One row as `node:sqlite` returns it. */
export type Row = Record<string, SQLOutputValue>;

/** Reads a column that holds numbers; throws when it does not. */
export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw new Error(`column ${column} holds no number`);
}

/** Reads a column that holds text; throws when it does not. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new Error(`column ${column} holds no text`);
}

/** Reads a column that holds bytes; throws when it does not. */
export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw new Error(`column ${column} holds no bytes`);
}

const utf8 = new TextEncoder();

/** Turns text into the bytes it is stored as. */
export function toUtf8(value: string): Uint8Array {
  return utf8.encode(value);
}

/** Reads stored bytes as text; a leading U+FEFF belongs to it. */
export function fromUtf8(value: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
}
