// Builds the binary: `npm run build` for this machine, `npm run build -- --all` for every platform, with SHA256SUMS.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
// Under Bun (as in the Dockerfile) that one builds, under Node the one from npm.
const bun = process.versions.bun ? process.execPath : join(root, "node_modules/bun/bin/bun.exe");

// bunfig.toml and .env of the folder in which it is started are none of the binary's business: the first may run scripts.
const flags = [
  ...["--compile", "--minify", "--sourcemap", "--bytecode", "--format=esm"],
  ...["--compile-autoload-package-json", "--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
];

const targets = [
  "linux-x64-baseline",
  "linux-arm64",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "windows-x64",
];

mkdirSync(dist, { recursive: true });
execFileSync(process.execPath, [join(root, "scripts/types.js")], { stdio: "inherit" });
if (process.argv.includes("--all")) {
  for (const target of targets) build(`mlmon-${target}`, [`--target=bun-${target}`]);
  writeSums();
} else {
  build("mlmon", []);
}

function build(name, more) {
  console.error(`building dist/${name}`);
  const outfile = join(dist, name);
  execFileSync(bun, ["build", ...flags, ...more, join(root, "src/cli.ts"), "--outfile", outfile], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const left of readdirSync(dist).filter((file) => file.endsWith(".map"))) rmSync(join(dist, left));
}

function writeSums() {
  const names = readdirSync(dist).filter((name) => name.startsWith("mlmon-"));
  const sums = names.map(
    (name) =>
      `${createHash("sha256")
        .update(readFileSync(join(dist, name)))
        .digest("hex")}  ${name}\n`,
  );
  writeFileSync(join(dist, "SHA256SUMS"), sums.join(""));
}
