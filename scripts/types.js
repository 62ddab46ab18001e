// Packs what an editor needs to type a configuration and a plugin without node_modules into dist/types.json, which
// `mlmon init` unpacks: the declarations of mlmon's public API, and those of valibot and hono that they refer to.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { root } from "./run.js";

const made = join(root, "dist/types");
const emitted = join(made, "mlmon");
rmSync(made, { recursive: true, force: true });
mkdirSync(made, { recursive: true });
writeFileSync(join(made, "jsx.ts"), 'import "hono/jsx";\nimport "hono/jsx/jsx-runtime";\n');

const sources = ["src/index.ts", "src/prometheus/index.ts", "plugins/*.ts"].map((file) => join(root, file));
const emit = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--rootDir", root, "--outDir", emitted];
tsc({ include: sources }, emit);
const paths = { mlmon: ["./mlmon/src/index.d.ts"], "mlmon/prometheus": ["./mlmon/src/prometheus/index.d.ts"] };
const needed = tsc(
  { include: ["mlmon/plugins", "mlmon/src/prometheus/index.d.ts", "jsx.ts"], compilerOptions: { paths } },
  ["--listFilesOnly"],
);

const files = {};
for (const path of needed
  .split("\n")
  .filter((line) => line !== "")
  .sort()) {
  const name = nameOf(path);
  if (name) files[name] = readFileSync(path, "utf8");
}
const packed = gzipSync(JSON.stringify(files), { level: 9 }).toString("base64");
writeFileSync(join(root, "dist/types.json"), JSON.stringify({ gzip: packed }));
rmSync(made, { recursive: true });
console.error(`dist/types.json: ${Object.keys(files).length} declarations, ${Math.round(packed.length / 1024)} KiB`);

function tsc(project, flags) {
  const file = join(made, "tsconfig.json");
  writeFileSync(file, JSON.stringify({ extends: join(root, "tsconfig.json"), ...project }));
  const command = [join(root, "node_modules/typescript/bin/tsc"), "--project", file, ...flags];
  return execFileSync(process.execPath, command, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

/** Where a declaration lies in the folder that `mlmon init` writes; nothing for those that come with TypeScript. */
function nameOf(path) {
  const own = relative(emitted, path);
  if (!own.startsWith("..")) return `mlmon/${own}`;
  const [, library, rest] = /node_modules\/(valibot|hono)\/(.*\.d\.m?ts)$/.exec(path) ?? [];
  return library && `${library}/${rest}`;
}
