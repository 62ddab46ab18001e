// Running a program for the scripts beside this one: in the project's folder, with a time limit, to the last child.
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
export const bun = join(root, "node_modules/bun/bin/bun.exe");
export const deno = join(root, "node_modules/.bin/deno");

const running = new Set();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    interrupted = true;
    for (const child of running) end(child, "SIGTERM");
    setTimeout(() => process.exit(130), running.size > 0 ? 3000 : 0);
  });
}
// A group of its own gets no signal of the terminal: what is left of it ends here.
process.once("exit", () => {
  for (const child of running) end(child, "SIGKILL");
});

/**
 * Runs a program and resolves with its status (`null` when it was ended) and its output, which `onLine` gets line by
 * line. The program has a process group of its own, all of which ends after `limitMs` (25 minutes by default). After a
 * signal it never resolves, so that the caller starts nothing more and calls nothing failed.
 */
export function run(file, args, { env = {}, onLine = () => {}, limitMs = 25 * 60_000 } = {}) {
  return new Promise((resolve) => {
    if (interrupted) return;
    const child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    running.add(child);
    let output = "";
    const take = lines((line) => {
      output += `${line}\n`;
      onLine(line);
    });
    child.stdout.on("data", take);
    child.stderr.on(
      "data",
      lines((line) => {
        output += `${line}\n`;
        onLine(line);
      }),
    );
    const limit = setTimeout(() => {
      onLine(`ended after ${limitMs / 60_000} minutes`);
      end(child, "SIGKILL");
    }, limitMs);
    const done = (status) => {
      clearTimeout(limit);
      running.delete(child);
      end(child, "SIGKILL");
      if (!interrupted) resolve({ status, output });
      else if (running.size === 0) process.exit(130);
    };
    child.once("error", (error) => {
      output += error.message;
      done(127);
    });
    child.once("close", (status) => done(status));
  });
}

/** Runs a program on the terminal of the caller and resolves with its status. */
export function show(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio: "inherit" });
    const stop = () => child.kill();
    process.once("exit", stop);
    const done = (status) => {
      process.off("exit", stop);
      resolve(status);
    };
    child.once("error", (error) => {
      console.error(error.message);
      done(127);
    });
    child.once("exit", (status) => done(status ?? 1));
  });
}

/** Installs the npm packages when they are missing or older than the lock file. Ends the process when that fails. */
export async function install() {
  const [major] = process.versions.node.split(".");
  if (Number(major) < 20) fail(`mlmon's scripts need Node 20 or newer: this is ${process.versions.node}`);
  const made = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(bun) && existsSync(made) && statSync(made).mtimeMs >= statSync(lock).mtimeMs - 1000) return;
  console.log("Installing npm packages");
  // `npm ci` of npm 11 refuses a lock file without every optional platform package.
  const status = await show("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);
  if (status !== 0) fail("Cannot install the npm packages");
}

export function fail(message) {
  console.error(message);
  process.exit(1);
}

function lines(onLine) {
  let rest = "";
  const decoder = new TextDecoder();
  return (chunk) => {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) onLine(line);
  };
}

function end(child, signal) {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // The group has ended already.
  }
}
