import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { console as consoleSink } from "../../plugins/console.ts";
import type { Batch } from "../../src/model/batch.ts";
import { silentLog } from "../../src/model/log.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";

const folder = mkdtempSync(join(tmpdir(), "mlmon-console-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Renders a batch and delivers what was rendered. */
async function write(options: Parameters<typeof consoleSink>[0], batch: Batch): Promise<Outcome[]> {
  const prepared = consoleSink(options).prepare();
  if (!prepared.ok) throw new Error("refused");
  const made = prepared.create();
  if (made.transport !== "own") throw new Error("no sink of its own");
  const outcomes: Outcome[] = [];
  const state = { get: () => undefined, set() {}, delete() {}, scan: () => [] };
  const signal = new AbortController().signal;
  const ctx = { log: silentLog, state, signal, now: Date.now, ownMetrics: async () => "" };
  for (const request of made.sink.render(batch)) outcomes.push(await made.sink.deliver(request, ctx));
  return outcomes;
}

describe("console", () => {
  it("appends one JSON object a line, with what is not finite as text", async () => {
    const path = join(folder, "out.ndjson");
    const samples = makeSamples(2).map((sample, index) => (index === 1 ? { ...sample, value: Number.NaN } : sample));
    assert.deepEqual(await write({ path }, makeBatch(samples)), [{ kind: "delivered" }]);
    await write({ path }, makeBatch(samples));
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 4);
    assert.equal(JSON.parse(lines[1] ?? "").value, "NaN");
    assert.equal(JSON.parse(lines[0] ?? "").run.experiment.name, "vision");
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("rotates the file by size and keeps as many as it is told", async () => {
    const path = join(folder, "rotated.ndjson");
    for (let round = 0; round < 5; round++) await write({ path, maxBytes: 100, keep: 2 }, makeBatch(makeSamples(1)));
    assert.ok(existsSync(`${path}.1`) && existsSync(`${path}.2`) && !existsSync(`${path}.3`));
    assert.equal(readFileSync(path, "utf8").trimEnd().split("\n").length, 1);
  });

  it("pauses when the file cannot be rotated, and does not let it grow", async () => {
    const path = join(folder, "stuck.ndjson");
    mkdirSync(join(`${path}.1`, "in the way"), { recursive: true });
    const options = { path, maxBytes: 100, keep: 1 };
    assert.deepEqual(await write(options, makeBatch(makeSamples(1))), [{ kind: "delivered" }]);
    const { size } = statSync(path);
    const [outcome] = await write(options, makeBatch(makeSamples(1)));
    assert.ok(outcome?.kind === "paused");
    assert.match(outcome.reason, /stuck\.ndjson" cannot be written \(E\w+\)/);
    assert.equal(statSync(path).size, size);
  });

  it("pauses with the mend when the folder is missing", async () => {
    const [outcome] = await write({ path: join(folder, "no/such/file") }, makeBatch(makeSamples(1)));
    assert.ok(outcome?.kind === "paused");
    assert.match(outcome.reason, /cannot be written \(ENOENT\): create its folder/);
  });

  it("starts a new line behind half a line that a kill has left", async () => {
    const path = join(folder, "torn.ndjson");
    writeFileSync(path, '{"name":"lo');
    await write({ path }, makeBatch(makeSamples(1)));
    const [torn, whole] = readFileSync(path, "utf8").trimEnd().split("\n");
    assert.equal(torn, '{"name":"lo');
    assert.equal(JSON.parse(whole ?? "").name, "loss");
  });

  it("tries again when the disk is full", { skip: existsSync("/dev/full") ? false : "no /dev/full" }, async () => {
    const [outcome] = await write({ path: "/dev/full" }, makeBatch(makeSamples(1)));
    assert.deepEqual(outcome, { kind: "retry", reason: 'the disk of "/dev/full" is full' });
  });

  it("pauses, and does not end the process, when nobody reads stdout any more", async () => {
    const script = join(import.meta.dirname, "../fixtures/write-stdout.ts");
    const run = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
    const child = spawn(process.execPath, [...run, script], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const [status] = await once(child, "close");
    assert.deepEqual([status, said], [0, "paused"]);
  });
});
