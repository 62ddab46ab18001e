// `npm run soak [-- --runs N --minutes M --rate R --seed S --leak]`: lets runs pass through the binary and shows that
// nothing of them is left behind.
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { bun, fail, install, root, run, show } from "./run.js";

await install();
const given = process.env.MLMON_TEST_BINARY;
if (!given && !existsSync(join(root, "dist/mlmon")) && (await show(process.execPath, ["scripts/build.js"])) !== 0) {
  fail("Cannot build dist/mlmon");
}
const main = join(root, "test/soak/main.ts");
const { status } = await run(bun, [main, ...process.argv.slice(2)], { onLine: console.log, limitMs: 2 ** 31 - 1 });
process.exitCode = status ?? 1;
