// The whole gate: `npm test`. Needs Node and npm, fetches the rest, and ends with `N passed, N failed, N skipped`.
// `--quick` (`npm run check`) leaves out what needs a server, a build or another runtime.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readJunit } from "./junit.js";
import { bun, deno, install, root, run } from "./run.js";

const quick = process.argv.includes("--quick");
const reports = join(root, ".cache/test");
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const skips = [];
const env = {};

await install();
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const bin = join(root, "node_modules/.bin");
const beds = quick ? noBeds() : fetchBeds();
await gate("format", join(bin, "biome"), ["check", "--linter-enabled=false", "--error-on-warnings"]);
await gate("lint", join(bin, "biome"), ["lint", "--error-on-warnings"]);
await gate("types", join(bin, "tsc"), []);
if (!quick) await gate("build", process.execPath, ["scripts/build.js"]);
const stop = await beds;
try {
  // Run under Bun alone: they start mlmon under Bun, under Deno and as the binary themselves, or a container engine.
  const apart = ["e2e", "binary", "compose", "faults"];
  await underBun("Bun", ["./test"], apart);
  if (!quick) {
    await underDeno("Deno", apart);
    await underBun("programs", ["./test/e2e", "./test/binary", "./test/faults"]);
    await underBun("Compose", ["./test/compose"]);
    // The test ends its engine itself, unless it was killed.
    await run(join(root, "test/beds/docker/down.sh"), []);
  }
} finally {
  await stop();
}

for (const name of skips) console.log(`SKIPPED ${name}`);
for (const name of failures) console.log(`FAILED ${name}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;

/** A program that must end with status 0; counts as one test. */
async function gate(name, file, args) {
  const started = Date.now();
  const { status, output } = await run(file, args);
  count(name, status === 0 ? "passed" : "failed");
  if (status !== 0) console.log(output.trimEnd());
  console.log(`${name}: ${status === 0 ? "passed" : "FAILED"} (${seconds(started)})`);
}

async function underBun(name, paths, apart = []) {
  const there = paths.filter((path) => hasTests(join(root, path)));
  if (there.length === 0) return;
  const report = join(reports, `${name}.xml`);
  const ignored = apart.map((folder) => `--path-ignore-patterns=test/${folder}/**`);
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
  await suite(name, report, bun, ["test", "--timeout=180000", ...reporter, ...ignored, ...there]);
}

async function underDeno(name, apart) {
  const report = join(reports, `${name}.xml`);
  const ignored = `--ignore=${apart.map((folder) => `test/${folder}`).join(",")}`;
  await suite(name, report, deno, ["test", "-A", "--no-check", `--junit-path=${report}`, ignored, "test"]);
}

/** A test runner; counts what its report says, and one failure more when it fails without naming a test. */
async function suite(name, report, file, args) {
  const started = Date.now();
  console.log(`${name}: running`);
  const { status, output } = await run(file, args, {
    env,
    onLine: (line) => {
      if (worthShowing(line)) console.log(`  ${line}`);
    },
  });
  const log = join(".cache/test", `${name}.log`);
  writeFileSync(join(root, log), output);
  const cases = existsSync(report) ? readJunit(readFileSync(report, "utf8")) : [];
  for (const { name: test, outcome } of cases) count(`${name}: ${test}`, outcome);
  const failed = cases.filter(({ outcome }) => outcome === "failed").length;
  // Bun reports neither a failed hook or import nor what a skipped describe holds.
  const errors = Number(output.match(/^ (\d+) errors?$/m)?.[1] ?? 0);
  for (let at = 0; at < errors; at += 1) count(`${name}: an error outside of the tests, see ${log}`, "failed");
  const lacking = new Set([...output.matchAll(/^SKIPPED for want of a bed: (.*)$/gm)].map(([, reason]) => reason));
  if (file === bun) for (const reason of lacking) count(`${name}, what needs a bed: ${reason}`, "skipped");
  if (cases.length === 0) count(`${name}: no test has reported`, "failed");
  else if (status !== 0 && failed + errors === 0) count(`${name}: the runner ended with status ${status}`, "failed");
  console.log(`${name}: ${cases.length} tests, ${failed + errors} failed (${seconds(started)})`);
}

function worthShowing(line) {
  return line.trim() !== "" && !/^\s*\(pass\)|\.\.\. ok \(|^.* \.\.\.$/.test(line);
}

function count(name, outcome) {
  total[outcome] += 1;
  if (outcome === "failed") failures.push(name);
  if (outcome === "skipped") skips.push(name);
}

async function noBeds() {
  for (const name of ["MLFLOW", "SERVERS", "DOCKER"]) env[`MLMON_SKIP_${name}`] = "the quick gate starts no servers";
  env.MLMON_BEDS_REQUIRED = "0";
  return async () => {};
}

/** Fetches the real servers and starts one MLflow for all runners; resolves with what ends it. */
async function fetchBeds() {
  console.log("beds: fetching what is not in the cache yet");
  const fetch = async (name, script) => {
    const { status, output } = await run(join(root, "test/beds", script), [], {
      onLine: (line) => {
        if (line.startsWith("beds:")) console.log(`  ${line}`);
      },
    });
    if (status === 0) return true;
    lack(name, output.trim().split("\n").at(-1));
    return false;
  };
  const [mlflow] = await Promise.all([fetch("MLFLOW", "mlflow.sh"), fetch("SERVERS", "servers.sh")]);
  if (!mlflow) return async () => {};

  const child = spawn(bun, ["test/beds/mlflow-server.ts"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await Promise.race([
    new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
    ended.then(() => undefined),
  ]);
  if (url) env.MLMON_TEST_MLFLOW = url;
  else lack("MLFLOW", "MLflow does not start");
  return async () => {
    child.stdin.end();
    await ended;
  };
}

/** Notes that a bed cannot be had: its tests skip, or fail when beds are required. */
function lack(name, reason) {
  console.log(`  beds: ${name} cannot be had: ${reason}`);
  env[`MLMON_SKIP_${name}`] = reason;
  if (process.env.MLMON_BEDS_REQUIRED === "1") count(`bed ${name}: ${reason}`, "failed");
}

function hasTests(folder) {
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((file) => String(file).endsWith(".test.ts"))
  );
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
