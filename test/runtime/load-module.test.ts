import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import * as mlmonItself from "mlmon";
import * as valibot from "valibot";
import { loadModule } from "../../src/runtime/load-module.ts";
import { temporaryFolder } from "../beds/wait.ts";

const root = join(import.meta.dirname, "../..");

/** Writes files into a folder and loads the one called `main.ts`. */
async function load(folder: string, files: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return loadModule(join(folder, "main.ts"));
}

describe("loadModule()", () => {
  it("gives the user's file the host's own mlmon, valibot and hono, wherever the file lies", async () => {
    await using folder = await temporaryFolder();
    const names = ["mlmon", "mlmon/prometheus", "mlmon/plugins/console", "valibot", "hono", "hono/jsx"];
    const lines = names.map((name, index) => `export * as m${index} from "${name}";`);
    const module = await load(folder.path, { "main.ts": lines.join("\n") });
    const own = (name: string, key: string) => Reflect.get(Object(module[name]), key);
    assert.equal(own("m0", "Secret"), mlmonItself.Secret);
    assert.equal(own("m3", "strictObject"), valibot.strictObject);
    for (const index of names.keys()) assert.equal(typeof module[`m${index}`], "object");
  });

  it("loads afresh what has changed since, the file itself and what it imports", async () => {
    await using folder = await temporaryFolder();
    const main = (text: string) => `import { part } from "./parts/part";\nexport const all = "${text} " + part;`;
    const part = (text: string) => `export const part: string = "${text}";`;
    const first = await load(folder.path, { "main.ts": main("a"), "parts/part.ts": part("1") });
    const second = await load(folder.path, { "main.ts": main("b"), "parts/part.ts": part("2") });
    assert.deepEqual([first.all, second.all], ["a 1", "b 2"]);
  });

  it("loads again after a file that did not parse", async () => {
    await using folder = await temporaryFolder();
    await assert.rejects(load(folder.path, { "main.ts": "export const x = [;" }));
    assert.equal((await load(folder.path, { "main.ts": "export const x = 1;" })).x, 1);
  });

  it("says what to write for a name or a module of mlmon's that is not there", async () => {
    await using folder = await temporaryFolder();
    const says = (line: string, message: string) =>
      // Deno puts the error's name before its words.
      assert.rejects(load(folder.path, { "main.ts": line }), (error: Error) => error.message.endsWith(message));
    await says(
      'import { mlflow, prometheus } from "mlmon";\nexport default [mlflow, prometheus];',
      '"mlmon" has no export "prometheus": write import { prometheus } from "mlmon/plugins/prometheus"',
    );
    await says(
      'import { promtheus } from "mlmon/plugins/prometheus";\nexport default promtheus;',
      '"mlmon/plugins/prometheus" has no export "promtheus": did you mean "prometheus"?',
    );
    await says('export { frobnicate } from "mlmon";', '"mlmon" has no export "frobnicate": check the name');
    await says(
      'import { prometheus } from "mlmon/plugins/promtheus";\nexport default prometheus;',
      '"mlmon/plugins/promtheus" is not part of mlmon: did you mean "mlmon/plugins/prometheus"?',
    );
  });

  for (const suffix of ["", ".ts"]) {
    it(`loads again after mistakes in a file imported as "./parts/part${suffix}", which Bun would keep for ever`, async () => {
      await using folder = await temporaryFolder();
      const main = `import { part } from "./parts/part${suffix}";\nexport const all = part;`;
      const mistakes = ["export const part = [;", "export const other = 1;", "throw new Error('boom');"];
      for (const [index, mistake] of mistakes.entries()) {
        await assert.rejects(load(folder.path, { "main.ts": main, "parts/part.ts": mistake }));
        const good = { "main.ts": main, "parts/part.ts": `export const part: number = ${index};` };
        assert.equal((await load(folder.path, good)).all, index);
      }
    });
  }

  it("loads afresh what lies in another folder, and names every file it has read, also of a mistaken one", async () => {
    await using folder = await temporaryFolder();
    const at = (name: string) => join(folder.path, name);
    const files = { "main.ts": `import "./deep/main";`, "common/part.ts": "export const part: number = 1;" };
    const deep = `import { part } from "../common/part.ts";\nimport data from "./data.cjs";\nexport const all = part + data.x;`;
    await load(folder.path, { ...files, "deep/main.ts": deep, "deep/data.cjs": "module.exports = { x: 10 };" });
    const seen: string[] = [];
    const again = () => loadModule(at("deep/main.ts"), (file) => seen.push(file));
    assert.equal((await again()).all, 11);
    await writeFile(at("common/part.ts"), "export const part: number = 2;");
    assert.equal((await again()).all, 12);
    await writeFile(at("common/part.ts"), "export const part: number = [;");
    seen.length = 0;
    await assert.rejects(again());
    assert.ok(
      [at("deep/main.ts"), at("common/part.ts")].every((file) => seen.includes(file)),
      seen.join(),
    );
  });

  it("keeps the program's own modules when the file lies in the project's folder", async () => {
    const before = await import("../../src/view/live-runs.ts");
    await loadModule(join(root, "mlmon.config.ts"));
    await loadModule(join(root, "mlmon.config.ts"));
    assert.equal(await import("../../src/view/live-runs.ts"), before);
    const { Secret } = await import("../../src/model/secret.ts");
    assert.equal(Secret, mlmonItself.Secret);
  });

  it("takes TypeScript that has to be turned into code: enum, parameter properties, namespaces", async () => {
    await using folder = await temporaryFolder();
    const text = `enum Level { low = 3 }
namespace Deep { export const x = 4; }
class Point { constructor(readonly x: number) {} }
export const sum = Level.low + Deep.x + new Point(5).x;`;
    assert.equal((await load(folder.path, { "main.ts": text })).sum, 12);
  });

  it("follows a package that lies beside the file, with what that one needs", async () => {
    await using folder = await temporaryFolder();
    const manifest = (name: string) => JSON.stringify({ name, version: "1.0.0", main: "index.js" });
    const module = await load(folder.path, {
      "main.ts": `import outer from "outer-package";\nexport const answer = outer.answer;`,
      "node_modules/outer-package/package.json": manifest("outer-package"),
      "node_modules/outer-package/index.js": `module.exports = { answer: require("inner-package") + 1 };`,
      "node_modules/inner-package/package.json": manifest("inner-package"),
      "node_modules/inner-package/index.js": "module.exports = 41;",
    });
    assert.equal(module.answer, 42);
  });
});
