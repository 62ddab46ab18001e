import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { temporaryFolder } from "../beds/wait.ts";
import { type Act, type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { mlmon } from "./mlmon.ts";

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Six samples of two experiments, logged a second after one another. */
const config = (url: string) => `
import { defineSource, secret, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
const begin = Date.parse("2026-03-01T00:00:00Z");
const runs = ["vision", "text"].map((name, index) => ({
  id: String(index).repeat(32), name: "r", experiment: { id: String(index), name }, status: "running",
  startTime: begin, user: "", stage: "None", tags: {}, params: {},
}));
const six = defineSource("six", v.strictObject({}), () => ({
  async *read() {
    const samples = [0, 1, 2, 3, 4, 5].map((step) =>
      ({ name: "loss", value: step, time: begin + 1000 * step, step, run: runs[step % 2] }));
    yield { time: begin, samples, ended: [], runs };
  },
}));
export default {
  sources: [six()],
  sinks: [
    pramathus({ endpoint: "${url}/other" }, { id: "other" }),
    pramathus({ endpoint: "${url}/again" }, { id: "again", startFrom: "now" }),
    prometheus(),
    pramathus({ endpoint: "${url}/locked", apiKey: secret.env("NOPE") }, { id: "locked" }),
  ],
};`;

async function backfill(words: readonly string[], script: readonly Act[] = []) {
  const folder = await temporaryFolder();
  const receiver = await startReceiver(script);
  opened.push(folder.remove, () => receiver.stop());
  await writeFile(join(folder.path, "mlmon.config.ts"), config(receiver.url));
  const ended = await mlmon(["backfill", ...words], { cwd: folder.path });
  assert.deepEqual(await readdir(folder.path), ["mlmon.config.ts"], "it keeps nothing");
  return { ...ended, steps: steps(receiver), paths: receiver.received.map(({ path }) => path) };
}

function steps(receiver: Receiver): readonly number[] {
  return receiver.stored().flatMap((body) => [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step)));
}

const again = ["--sink", "again"];

describe("mlmon backfill", () => {
  it("delivers the whole history to one sink and says what became of it", async () => {
    const { status, stdout, steps, paths } = await backfill([...again, "--json"]);
    assert.equal(status, 0);
    assert.deepEqual(steps, [0, 1, 2, 3, 4, 5]);
    assert.ok(
      paths.every((path) => path === "/again"),
      "no other sink gets it",
    );
    const { read, sinks } = JSON.parse(stdout);
    assert.deepEqual([read, sinks], [6, [{ id: "again", delivered: 6, deadLetters: 0, waiting: 0 }]]);
  });

  it("keeps to a range and an experiment", async () => {
    const range = ["--since", "2026-03-01T00:00:01Z", "--until", "2026-03-01T00:00:05Z"];
    assert.deepEqual((await backfill([...again, ...range])).steps, [1, 2, 3, 4]);
    assert.deepEqual((await backfill([...again, ...range, "--experiment", "text"])).steps, [1, 3]);
  });

  it("takes a pattern for experiments, as the source does", async () => {
    assert.deepEqual((await backfill([...again, "--experiment", "te*"])).steps, [1, 3, 5]);
  });

  it("ends with 1 and the nearest name where there is no such experiment", async () => {
    for (const more of [[], ["--dry-run"]]) {
      const near = await backfill([...again, "--experiment", "txet", ...more]);
      assert.deepEqual([near.status, near.stdout, near.steps], [1, "", []]);
      assert.match(near.stderr, /^mlmon: Cannot backfill the experiment "txet": .*did you mean "text"\?$/m);
    }
    const { status, stderr } = await backfill([...again, "--experiment", "audio-*"]);
    assert.equal(status, 1);
    assert.match(stderr, /"audio-\*": there are no samples of it, but of "vision", "text"$/m);
  });

  it("warns when nothing of an experiment is in the range", async () => {
    const { status, stderr } = await backfill([...again, "--experiment", "text", "--since", "2026-03-02"]);
    assert.equal(status, 0);
    assert.match(stderr, /Nothing of this experiment is in the range experiment=text$/m);
  });

  it("needs the secrets of its own sink alone", async () => {
    const { status, stderr, steps } = await backfill(["--sink", "other"]);
    assert.deepEqual([status, steps], [0, [0, 1, 2, 3, 4, 5]], stderr);
    const locked = await backfill(["--sink", "locked"]);
    assert.equal(locked.status, 2);
    assert.match(locked.stderr, /^ {2}sinks\[3\]\.apiKey: The secret "NOPE" is not set/m);
  });

  it("shows the requests and sends nothing with --dry-run", async () => {
    const { status, stdout, paths } = await backfill([...again, "--experiment", "text", "--dry-run"]);
    assert.deepEqual([status, paths], [0, []]);
    assert.match(stdout, /"step": ?5/);
    assert.doesNotMatch(stdout, /"step": ?4/);
  });

  it("ends with 1 when something was refused for good, as export-once does", async () => {
    const { status, stdout } = await backfill(again, [{ status: 501, body: "no" }]);
    assert.equal(status, 1);
    assert.match(stdout, /again: 0 delivered, 6 refused for good/);
  });

  it("refuses what it cannot do with status 2 and the mend", async () => {
    for (const [words, says] of [
      [[], /without --sink ID: expected one of other, again, prometheus, locked/],
      [["--sink", "mine"], /"mine": expected one of other, again/],
      [["--sink", "prometheus"], /"prometheus": it holds latest values/],
      [[...again, "--since", "1h", "--until", "2h"], /from 1h until 2h: the range is empty/],
      [[...again, "--since", "yesterday"], /--since "yesterday": expected a date/],
    ] as const) {
      const { status, stderr, paths } = await backfill(words);
      assert.deepEqual([status, paths], [2, []]);
      assert.match(stderr, says);
    }
  });
});
