import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { config, folderWith } from "./fixed-samples.ts";
import { mlmon, mlmonWords } from "./mlmon.ts";

const imports = 'import { console as con } from "mlmon/plugins/console";';

/** A source that would go on for hours. */
const endless = `
import { defineSource, v } from "mlmon";
${imports}
const endless = defineSource("endless", v.strictObject({}), () => ({
  async *read({ signal }) {
    while (!signal.aborted) {
      const samples = Array.from({ length: 1000 }, (_, step) => ({ name: "loss", value: 1, time: 1, step }));
      yield { time: 1, samples, ended: [] };
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
}));
export default { sources: [endless()], sinks: [con()] };`;

describe("mlmon export-once with a sink that writes to stdout", () => {
  it("tells its result on stderr, so that stdout can be read back", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": config("con()", imports) });
    const { status, stdout, stderr } = await mlmon(["export-once"], { cwd: folder.path });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^3 samples read; .*\nconsole: 3 delivered\n$/);
    assert.equal(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)).length,
      3,
    );
    await writeFile(join(folder.path, "all.ndjson"), stdout);
    const shown = await mlmon(["dry-run", "--input", "all.ndjson"], { cwd: folder.path });
    assert.deepEqual([shown.status, shown.stderr], [0, ""]);
    const json = await mlmon(["export-once", "--json"], { cwd: folder.path });
    assert.equal(json.stdout, stdout);
    assert.equal(JSON.parse(json.stderr).read, 3);
    const back = await mlmon(["backfill", "--sink", "console"], { cwd: folder.path });
    assert.equal(back.stdout, stdout);
  });

  it("keeps its result on stdout when the sink writes to a file", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": config('con({ path: "all.ndjson" })', imports) });
    const { stdout, stderr } = await mlmon(["export-once"], { cwd: folder.path });
    assert.match(stdout, /^3 samples read; .*\nconsole: 3 delivered\n$/);
    assert.equal(stderr, "");
  });

  it("ends at once with 1 and says nothing when nobody reads stdout any more", async () => {
    await using folder = await folderWith({ "mlmon.config.ts": endless });
    const words = mlmonWords(["export-once"]);
    const child = spawn(process.execPath, words, { cwd: folder.path, stdio: ["ignore", "pipe", "pipe"] });
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    child.stdout.once("data", () => child.stdout.destroy());
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    const [status] = await once(child, "close");
    clearTimeout(late);
    assert.deepEqual([status, said], [1, ""]);
  });
});
