/**
 * Console: every sample as one JSON object a line (NDJSON), to stdout or to a file that is rotated by size.
 *
 * `{ name, value, time, step, run: { id, name, experiment, status, startTime, … }, labels }`; NaN and ±Infinity are the
 * texts `"NaN"`, `"Infinity"`, `"-Infinity"`. `mlmon dry-run --input FILE` reads these lines back.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { access, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { stdout } from "node:process";
import { defineSink, type Outcome, option, type Sample, v } from "mlmon";

const options = v.strictObject({
  /** The file to append to; stdout by default. */
  path: v.optional(v.pipe(v.string(), v.nonEmpty())),
  /** The size beyond which the file becomes `FILE.1`, and `FILE.1` becomes `FILE.2`; `"100MiB"` by default. */
  maxBytes: v.optional(option.size(), "100MiB"),
  /** How many rotated files are kept; 5 by default. */
  keep: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 5),
});

interface Lines {
  readonly method: "WRITE";
  readonly url: string;
  readonly body: string;
}

/** Writes every sample as a line of JSON. The file is appended to, so a repeated slice repeats its lines. */
export const console = defineSink("console", options, ({ path, maxBytes, keep }) => ({
  consumes: "points",
  ownsStdout: path === undefined,
  render({ samples }): readonly Lines[] {
    if (samples.length === 0) return [];
    return [{ method: "WRITE", url: path ?? "stdout", body: samples.map(lineOf).join("") }];
  },
  deliver: ({ body }: Lines) => (path === undefined ? writeOut(body) : appendTo(path, body, { maxBytes, keep })),
}));

function lineOf({ name, value, time, step, run, labels }: Sample): string {
  const shown = Number.isFinite(value) ? value : String(value);
  return `${JSON.stringify({ name, value: shown, time, step, run, labels })}\n`;
}

/** Set once nobody reads stdout any more: what is written then would only seem to arrive. */
let closed: Outcome | undefined;

function writeOut(body: string): Promise<Outcome> {
  // Without a listener, a reader that has gone would end the process; the callback says what became of the write.
  if (!stdout.listeners("error").includes(ignore)) stdout.on("error", ignore);
  return new Promise((resolve) => {
    if (closed) return resolve(closed);
    stdout.write(body, (error) => resolve(error ? failed(error) : { kind: "delivered" }));
  });
}

function failed(error: Error): Outcome {
  const gone = "code" in error && error.code === "EPIPE";
  const reason = gone ? "nobody reads stdout any more" : `stdout cannot be written: ${error.message}`;
  const outcome: Outcome = { kind: "paused", reason, gone };
  if (gone) closed = outcome;
  return outcome;
}

function ignore(): void {}

async function appendTo(
  path: string,
  body: string,
  { maxBytes, keep }: { maxBytes: number; keep: number },
): Promise<Outcome> {
  try {
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size > 0 && size + Buffer.byteLength(body) > maxBytes) await rotate(path, keep);
    await appendWhole(path, body);
    return { kind: "delivered" };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOSPC" || code === "EDQUOT") return { kind: "retry", reason: `the disk of "${path}" is full` };
    const folder = await access(dirname(path), constants.W_OK).then(
      () => "check the rights of the file",
      () => "create its folder, writable by mlmon",
    );
    return { kind: "paused", reason: `the file "${path}" cannot be written (${code}): ${folder}` };
  }
}

/** Appends all or nothing, behind a whole line: neither a full disk nor a kill may leave half a line in the middle. */
async function appendWhole(path: string, body: string): Promise<void> {
  const file = await open(path, "a+", 0o600);
  try {
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    const isWhole = size === 0 || last.toString() === "\n";
    try {
      await file.appendFile(isWhole ? body : `\n${body}`);
    } catch (error) {
      // Not a file that can be cut (a pipe): then what is there stays.
      await file.truncate(size).catch(() => undefined);
      throw error;
    }
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

async function rotate(path: string, keep: number): Promise<void> {
  for (let number = keep; number > 0; number--) {
    await rename(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`).catch(unlessMissing);
  }
  if (keep === 0) await rm(path);
}

/** There are fewer rotated files than are kept. */
function unlessMissing(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}
