import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { config, folderWith } from "./fixed-samples.ts";
import { mlmon } from "./mlmon.ts";
import { expectTidy } from "./wrong-use-world.ts";

describe("a transform that throws", () => {
  it("is told with the file and line of the user's code", async () => {
    const rules = `export function isMine(sample) {
  return sample.nme.startsWith("val/");
}`;
    const imports = `import { filter } from "mlmon";\nimport { isMine } from "./rules.ts";`;
    const text = config("prometheus()", imports).replace("sinks:", "transforms: [filter((s) => isMine(s))], sinks:");
    await using folder = await folderWith({ "mlmon.config.ts": text, "rules.ts": rules });
    const ended = await mlmon(["dry-run"], { cwd: folder.path });
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /^mlmon: Cannot apply the transform "filter": rules\.ts line 2: .*undefined/m);
    expectTidy(ended);
  });
});
