// `npm start`: installs what is missing, then runs the demo, or with arguments the real thing (`npm start -- --config F`).
import { spawn } from "node:child_process";
import { join } from "node:path";
import { bun, install, root } from "./run.js";

const args = process.argv.slice(2);
const isDemo = args.length === 0 || (args.length === 2 && args[0] === "--listen");
const entry = isDemo ? ["src/demo/demo.ts"] : ["src/cli.ts", "run"];

await install();
// The signals of a terminal reach the child by themselves, those of a supervisor do not; either way it ends first.
const child = spawn(bun, ["--no-install", join(root, entry[0]), ...entry.slice(1), ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.removeAllListeners(signal);
  process.on(signal, () => child.kill(signal));
}
child.once("exit", (status) => {
  process.exitCode = status ?? 1;
});
