// `npm run faults [-- --seed N --only NAME,… --kills N --parallel N --list]`: breaks everything around a running mlmon
// and prints what was lost, doubled and out of order. See test/faults/faults.ts.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { bun, fail, install, root, run, show } from "./run.js";

await install();
const binary = join(root, "dist/mlmon");
const given = process.env.MLMON_TEST_BINARY;
const isList = process.argv.includes("--list");
// Judged is what users run, made of the source as it stands.
if (!given && !isList && isStale() && (await show(process.execPath, ["scripts/build.js"])) !== 0) {
  fail("Cannot build dist/mlmon");
}
// Not by show(): the servers that a scenario starts end with it, however it ends.
const { status } = await run(bun, [join(root, "test/faults/faults.ts"), ...process.argv.slice(2)], {
  onLine: console.log,
  limitMs: 3 * 60 * 60_000,
});
process.exitCode = status ?? 1;

function isStale() {
  if (!existsSync(binary)) return true;
  const made = statSync(binary).mtimeMs;
  return ["src", "plugins", "package-lock.json"].some((name) => newest(join(root, name)) > made);
}

function newest(path) {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(...readdirSync(path).map((name) => newest(join(path, name))));
}
