// `npm start`: installs what is missing, then runs the demo, or with arguments the real thing (`npm start -- --config F`).
// `--listen HOST:PORT` alone, like MLMON_LISTEN, still means the demo.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { bun, install, root } from "./run.js";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
const args = process.argv.slice(2);
const isDemo =
  args.length === 0 ||
  (args.length === 1 && args[0].startsWith("--listen=")) ||
  (args.length === 2 && args[0] === "--listen");
const words = isDemo ? [join(root, "src/demo/demo.ts")] : [join(root, "src/cli.ts"), "run"];

await install();
// The signals of a terminal reach the child by themselves, those of a supervisor do not; either way it ends first.
const child = spawn(bun, ["--no-install", ...words, ...args], { stdio: "inherit", env: environment() });
for (const signal of signals) {
  process.removeAllListeners(signal);
  process.on(signal, () => child.kill(signal));
}
child.once("error", (error) => {
  console.error(`Cannot start ${bun}: ${error.message}; remove node_modules and try again`);
  process.exitCode = 1;
});
child.once("exit", (status, signal) => {
  process.exitCode = status ?? 128 + (constants.signals[signal] ?? 0);
});

/** The demo talks to itself alone, which a proxy named in the environment must not see. */
function environment() {
  if (!isDemo) return process.env;
  const others = (process.env.NO_PROXY ?? process.env.no_proxy)?.trim();
  const none = others ? `${others},127.0.0.1` : "127.0.0.1";
  return { ...process.env, NO_PROXY: none, no_proxy: none };
}
