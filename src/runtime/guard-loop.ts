import process from "node:process";
import { Worker } from "node:worker_threads";

/** How the second thread guards the first. */
export interface LoopGuard {
  /** For how long the thread may give no sign of life, ms. */
  readonly patienceMs: number;
  /** The last words, one line on stderr. */
  readonly words: string;
}

/**
 * Does work that may never give the thread back, such as loading a user's file with an endless loop: then nothing in this
 * thread can end it, so another one says why and kills the process. Nothing is lost by that: what is to survive is in
 * the journal. Called once a start and once a reload.
 */
export async function guardLoop<T>(work: () => Promise<T>, { patienceMs, words }: LoopGuard): Promise<T> {
  const signs = new Int32Array(new SharedArrayBuffer(4));
  const sign = (value: number) => {
    Atomics.store(signs, 0, value);
    Atomics.notify(signs, 0);
  };
  const worker = new Worker(watcher, { eval: true, workerData: { signs, patienceMs, words, pid: process.pid } });
  // Without a second thread there is no guard, and all else works.
  worker.on("error", () => {});
  worker.unref();
  let count = 0;
  const timer = setInterval(() => sign(++count), patienceMs / waits);
  timer.unref();
  return work().finally(() => {
    clearInterval(timer);
    sign(ended);
    worker.terminate();
  });
}

const ended = -1;

/** In short waits, so that a process that was suspended is not taken for one that loops. */
const waits = 30;

/** The signal is one that a blocked thread cannot put off. */
const watcher = `
const { workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const { signs, patienceMs, words, pid } = workerData;
let missed = 0;
for (let seen = Atomics.load(signs, 0); seen !== ${ended}; seen = Atomics.load(signs, 0)) {
  missed = Atomics.wait(signs, 0, seen, patienceMs / ${waits}) === "timed-out" ? missed + 1 : 0;
  if (missed < ${waits}) continue;
  writeSync(2, words + "\\n");
  process.kill(pid, "SIGKILL");
}`;
