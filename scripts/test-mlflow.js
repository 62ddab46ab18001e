// The tests of the MLflow source against other versions, stores and ways to log in: `npm run test:mlflow`, or with the
// names of some cells. Not part of `npm test`: each version is fetched once, 40 to 300 s and up to 850 MB.
import { bun, install, run } from "./run.js";

const files = ["exact", "bulk", "durable", "life", "options"].map((name) => `./test/mlflow/${name}.test.ts`);
const cells = {
  "2.9.2": { VERSION: "2.9.2" },
  "2.22.0": { VERSION: "2.22.0" },
  "3.1.0": { VERSION: "3.1.0" },
  "2.22.0-files": { VERSION: "2.22.0", STORE: "files" },
  "2.22.0-postgresql": { VERSION: "2.22.0", STORE: "postgresql" },
  files: { STORE: "files" },
  postgresql: { STORE: "postgresql" },
  "basic-auth": { AUTH: "1" },
  workspaces: { WORKSPACE: "team-a" },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(cells, name));
if (unknown.length > 0) {
  console.error(`Cannot test ${unknown.join(", ")}: the cells are ${Object.keys(cells).join(", ")}`);
  process.exit(2);
}
await install();
let failed = 0;
for (const [name, settings] of Object.entries(cells)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const env = { MLMON_TEST_MLFLOW: "", MLMON_BEDS_REQUIRED: "1" };
  for (const [key, value] of Object.entries(settings)) env[`MLMON_TEST_MLFLOW_${key}`] = value;
  const started = Date.now();
  const { status, output } = await run(bun, ["test", "--timeout=300000", ...files], { env });
  const counts = [...output.matchAll(/^\s*(\d+ (?:pass|fail|skip))$/gm)].map(([, count]) => count);
  console.log(`${name}: ${counts.join(", ") || "no test has run"} (${((Date.now() - started) / 1000).toFixed(0)} s)`);
  for (const [line] of output.matchAll(/^\(skip\) .*$/gm)) console.log(`  ${line}`);
  if (status === 0) continue;
  failed += 1;
  console.log(output.trimEnd());
}
process.exitCode = failed > 0 ? 1 : 0;
