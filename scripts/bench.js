// `npm run bench [-- NAME…]`: every benchmark of bench/ under Bun, one after the other. Files that export something
// are what the benchmarks share; a default export is the text of a configuration that a benchmark writes.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bun, fail, install, root, run, show } from "./run.js";

await install();
const folder = join(root, "bench");
const known = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !/^export (?!default\b)/m.test(readFileSync(join(folder, file), "utf8")))
  .map((file) => file.slice(0, -".ts".length));
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !known.includes(name));
if (unknown !== undefined) fail(`Cannot run the benchmark "${unknown}": expected one of ${known.join(", ")}`);

// The binary is what users run, so that it is what most benchmarks measure.
if (!existsSync(join(root, "dist/mlmon")) && (await show(process.execPath, ["scripts/build.js"])) !== 0) {
  fail("Cannot build dist/mlmon");
}
const failed = [];
for (const name of wanted.length > 0 ? wanted : known) {
  console.log(`\n# ${name}`);
  // Not by show(): the servers that a benchmark starts end with it, however it ends.
  const { status } = await run(bun, [join(folder, `${name}.ts`)], { onLine: console.log, limitMs: 60 * 60_000 });
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
