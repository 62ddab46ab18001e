import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { temporaryFolder } from "../beds/wait.ts";
import { mlmon } from "./mlmon.ts";

const head = `import { mlflow, secret } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
`;
const unset = `${head}export default {
  sources: [mlflow()],
  sinks: [pramathus({ endpoint: "http://p/x", apiKey: secret.env("KEY_OF_PRAMATHUS") })],
};`;
const wrong = `${head}export default { sources: [mlflow({ intervall: 1 })], sinks: [pramathus()] };`;

async function validate(text: string, ...flags: readonly string[]) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "mlmon.config.ts"), text);
  return await mlmon(["validate", ...flags], { cwd: folder.path });
}

describe("mlmon validate", () => {
  it("says that a configuration is valid, and warns of an unset secret", async () => {
    const { status, stdout, stderr } = await validate(unset);
    assert.equal(stdout, 'The configuration "mlmon.config.ts" is valid: sources mlflow; sinks pramathus\n');
    assert.match(stderr, /WARN .*sinks\[0\]\.apiKey: The secret "KEY_OF_PRAMATHUS" is not set/);
    assert.equal(status, 0);
  });

  it("takes an unset secret for a mistake with --strict", async () => {
    const { status, stdout, stderr } = await validate(unset, "--strict");
    assert.match(stderr, /^ {2}sinks\[0\]\.apiKey: The secret "KEY_OF_PRAMATHUS" is not set/m);
    assert.deepEqual([status, stdout], [2, ""]);
  });

  it("keeps each mistake on one line, without orders to the terminal", async () => {
    const text = `${head}export default { sources: [mlflow({ trackingUri: "a\\nb\\u001b[31mc" })], sinks: [] };`;
    const { stderr } = await validate(text);
    assert.match(stderr, /^ {2}sources\[0\]\.trackingUri: .*: found "a b \[31mc"\n {2}sinks: is empty/m);
  });

  it("prints the parts and the warnings as JSON", async () => {
    const { sources, sinks, valid, warnings } = JSON.parse((await validate(unset, "--json")).stdout);
    assert.deepEqual([valid, sources, sinks, warnings.length], [true, ["mlflow"], ["pramathus"], 1]);
  });

  it("prints every mistake as JSON, and for people on stderr", async () => {
    const { status, stdout, stderr } = await validate(wrong, "--json");
    const { valid, issues } = JSON.parse(stdout);
    const places = ["sources[0].intervall", "sinks[0].endpoint"];
    assert.equal(valid, false);
    assert.deepEqual(
      issues.map(({ path }: { path: string }) => path),
      places,
    );
    for (const place of places) assert.ok(stderr.includes(`\n  ${place}: `), stderr);
    assert.equal(status, 2);
  });
});
