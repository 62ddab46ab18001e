import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { parseListen } from "../config/listen.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { mlflow } from "../mlflow/mlflow.ts";
import { mlflowOptions } from "../mlflow/options.ts";
import { createWriter } from "../mlflow/write.ts";
import { UsageError, WorkError } from "../model/errors.ts";
import { runService, type Started } from "../pipeline/service.ts";
import { createLog } from "../runtime/log.ts";
import { type Served, serve } from "../runtime/serve.ts";
import { simulateLive, simulatePast } from "../sample/simulate.ts";
import { createMlflowApp } from "./mlflow-app.ts";
import { createReceivers, demoKey, type Receivers } from "./receivers.ts";
import { createDemoStore } from "./store.ts";

/**
 * The demonstration of `npm start`: a small MLflow that a simulated training keeps writing to, read by the real source,
 * delivered by the real sinks to a page and to receivers built in. Ends with status 0 at SIGINT or SIGTERM.
 */
async function demo(): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());
  const loopback = { hostname: "127.0.0.1", port: 0 };
  const store = await serve(createMlflowApp(createDemoStore()).fetch, loopback);
  const receivers = createReceivers();
  const receiver = await serve(receivers.app.fetch, loopback);
  const state = mkdtempSync(join(tmpdir(), "mlmon-demo-"));
  const trackingUri = `http://127.0.0.1:${store.port}`;
  const writer = createWriter(v.parse(mlflowOptions, { trackingUri }));
  let numbers: ReturnType<typeof setInterval> | undefined;
  try {
    await simulatePast({ writer, runs: 6, steps: 60, seed: 1, signal: stop.signal });
    const training = simulateLive({ writer, steps: 60, seed: 2, parallel: 3, stepMs: 1000, signal: stop.signal });
    await runService({
      config: await configFor(trackingUri, receiver, state),
      log: createLog({ level: "warn", format: "text" }),
      signal: stop.signal,
      onStarted(started) {
        process.stdout.write(welcome(started, trackingUri));
        numbers = setInterval(() => process.stdout.write(numbersLine(started, receivers)), 10_000);
      },
    });
    await training;
  } finally {
    clearInterval(numbers);
    stop.abort();
    await Promise.all([store.stop(), receiver.stop()]);
    rmSync(state, { recursive: true, force: true });
  }
}

async function configFor(trackingUri: string, receiver: Served, state: string): Promise<ResolvedConfig> {
  const address = `http://127.0.0.1:${receiver.port}`;
  const config = {
    sources: [mlflow({ trackingUri, interval: "2s" })],
    sinks: [
      prometheus(),
      pushgateway({ endpoint: address }),
      pramathus({ endpoint: `${address}/api/metrics`, apiKey: demoKey }),
    ],
  };
  return resolveConfig(config, { origin: "demo", secrets: "required", stateDir: state, listen: await freeListen() });
}

/** The address that was asked for; else the usual one, or a free port when that is taken. */
async function freeListen(): Promise<string> {
  const flag = process.argv.indexOf("--listen");
  const asked = flag > 0 ? process.argv[flag + 1] : process.env.MLMON_LISTEN?.trim();
  if (asked) {
    if (!parseListen(asked)) throw new UsageError(`Cannot listen on "${asked}": expected host:port`);
    return asked;
  }
  try {
    const probe = await serve(() => new Response(), { hostname: "127.0.0.1", port: 9890 });
    await probe.stop();
    return "127.0.0.1:9890";
  } catch {
    process.stdout.write("The port 9890 is in use, so another one is taken.\n");
    return "127.0.0.1:0";
  }
}

function welcome({ url }: Started, trackingUri: string): string {
  return `
mlmon runs: a simulated training writes to a small MLflow at ${trackingUri},
mlmon reads it and delivers to a Prometheus page, a Pushgateway and a Pramathus, both built into this demo.

  Status page   ${url}/
  Metrics       ${url}/metrics
  Your MLflow   npm start -- --config my.config.ts
  Stop          Ctrl-C

`;
}

function numbersLine({ status }: Started, receivers: Receivers): string {
  const { sinks, view } = status();
  const { samples, series } = receivers.counts();
  const waiting = sinks.reduce((sum, sink) => sum + sink.waiting, 0);
  return `${view.runs} runs, ${view.series} series; Pramathus holds ${samples} samples, the Pushgateway ${series} series; ${waiting} wait\n`;
}

try {
  await demo();
} catch (error) {
  if (!(error instanceof WorkError || error instanceof UsageError)) throw error;
  process.stderr.write(`mlmon: ${error.message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
