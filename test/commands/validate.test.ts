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

async function validateYaml(text: string, env: Readonly<Record<string, string>>, ...flags: readonly string[]) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "config.yaml"), text);
  return await mlmon(["validate", "--config", "config.yaml", ...flags], { cwd: folder.path, env });
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

  it("takes a key or variable that is almost one that is read for a mistake with --strict", async () => {
    const text = 'mlflow: { tracking_url: "http://x" }\n';
    const key = 'mlflow.tracking_url: has no counterpart in mlmon and is not used: did you mean "mlflow.tracking_uri"?';
    const variable = "MLMON_LISTN: is not read: did you mean MLMON_LISTEN?";
    const env = { MLMON_LISTN: ":1" };
    const plain = await validateYaml(text, env);
    assert.equal(plain.status, 0);
    for (const said of [key, variable]) assert.ok(plain.stderr.includes(`WARN  ${said}\n`), plain.stderr);
    const { status, stdout, stderr } = await validateYaml(text, env, "--strict");
    for (const said of [key, variable]) assert.ok(stderr.includes(`\n  ${said}\n`), stderr);
    assert.deepEqual([status, stdout], [2, ""]);
  });

  it("takes a key that is like none that is read for no mistake, with --strict either", async () => {
    const { status, stderr } = await validateYaml(
      "features: { alpha: true }\nexport: { mode: once }\n",
      {},
      "--strict",
    );
    for (const said of ["features.alpha: has no counterpart", "export.mode: is not used"])
      assert.ok(stderr.includes(`WARN  ${said}`), stderr);
    assert.equal(status, 0);
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
