import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { mlflowOptions } from "../mlflow/options.ts";
import { createWriter } from "../mlflow/write.ts";
import { ConfigError, UsageError, WorkError } from "../model/errors.ts";
import { messageOf } from "../model/message-of.ts";
import { runService } from "../pipeline/service.ts";
import { createLog } from "../runtime/log.ts";
import { serve } from "../runtime/serve.ts";
import { simulateLive, simulatePast } from "../sample/simulate.ts";
import { demoConfig, demoListen } from "./demo-config.ts";
import { createMlflowApp } from "./mlflow-app.ts";
import { createReceivers } from "./receivers.ts";
import { createDemoStore } from "./store.ts";
import { farewell, numbersLine, welcome } from "./words.ts";

const numbersMs = 10_000;
const loopback = { hostname: "127.0.0.1", port: 0 };

/**
 * The demonstration of `npm start`: a small MLflow that a simulated training keeps writing to, read by the real source,
 * delivered by the real sinks to a page and to receivers built in. Ends everything when the signal fires.
 */
async function demo(words: readonly string[], stop: AbortController): Promise<void> {
  const { signal } = stop;
  const { listen, isReplaced } = await demoListen(words, process.env);
  if (isReplaced) say("The port 9890 is in use, so another one is taken.\n");
  const opened: (() => Promise<void> | void)[] = [];
  try {
    const store = await serve(createMlflowApp(createDemoStore()).fetch, loopback);
    opened.push(() => store.stop());
    const receivers = createReceivers();
    const receiving = await serve(receivers.app.fetch, loopback);
    opened.push(() => receiving.stop());
    const stateDir = mkdtempSync(join(tmpdir(), "mlmon-demo-"));
    opened.push(() => rmSync(stateDir, { recursive: true, force: true }));

    const trackingUri = `http://127.0.0.1:${store.port}`;
    const receiver = `http://127.0.0.1:${receiving.port}`;
    const config = await demoConfig({ trackingUri, receiver, stateDir, listen });
    const writer = createWriter(v.parse(mlflowOptions, { trackingUri }));
    await simulatePast({ writer, runs: 6, steps: 60, seed: 1, signal });
    // Caught at once: it may fail while the service runs, and the demo is nothing without it.
    let failure: unknown;
    const training = simulateLive({ writer, steps: 60, seed: 2, parallel: 3, stepMs: 1000, signal }).catch((error) => {
      failure = error;
      stop.abort();
    });
    opened.push(() => {
      stop.abort();
      return training;
    });

    await runService({
      config,
      log: createLog({ level: "warn", format: "text" }),
      signal,
      onStarted({ url, status }) {
        say(welcome({ url, trackingUri, receiver }));
        const numbers = setInterval(() => say(numbersLine(status(), receivers.counts())), numbersMs);
        signal.addEventListener("abort", () => clearInterval(numbers), { once: true });
      },
    });
    await training;
    if (failure) throw failure;
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}

function say(text: string): void {
  process.stdout.write(text);
}

/** Tells a mistake or a failure in a line, without a stack, and returns the exit status. */
function complain(error: unknown): number {
  const message = messageOf(error);
  const issues = error instanceof ConfigError ? error.issues : [];
  const isKnown = [ConfigError, UsageError, WorkError].some((kind) => error instanceof kind);
  process.stderr.write(`mlmon: ${isKnown ? "" : "this is a bug: "}${message}\n`);
  for (const issue of issues) process.stderr.write(`  ${issue.path}: ${issue.message}\n`);
  return error instanceof ConfigError || error instanceof UsageError ? 2 : 1;
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());
// A reader that leaves, as in `| head`, or a terminal that closes, ends the demo.
process.stdout.on("error", () => stop.abort());
try {
  await demo(process.argv.slice(2), stop);
  say(farewell);
} catch (error) {
  process.exitCode = complain(error);
}
