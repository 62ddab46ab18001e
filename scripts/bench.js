// `npm run bench [-- NAME…]`: every benchmark of bench/ under Bun, one after the other. Files that export something
// are what the benchmarks share.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bun, install, root, show } from "./run.js";

await install();
const wanted = process.argv.slice(2);
const folder = join(root, "bench");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && !/^export /m.test(readFileSync(join(folder, file), "utf8")))
  .map((file) => file.slice(0, -".ts".length))
  .filter((name) => wanted.length === 0 || wanted.includes(name));

let failed = 0;
for (const name of names) {
  console.log(`\n# ${name}`);
  if ((await show(bun, [join(folder, `${name}.ts`)])) !== 0) failed += 1;
}
if (names.length === 0) console.error(`No benchmark is called ${wanted.join(" or ")}`);
process.exitCode = failed > 0 || names.length === 0 ? 1 : 0;
