import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as v from "valibot";
import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { temporaryFolder, until } from "../beds/wait.ts";
import { judge, outOfOrder, type Point } from "./judge.ts";
import { type PramathusReceiver, startPramathus } from "./pramathus-receiver.ts";
import { programs } from "./programs.ts";

const mlflow = await bed("mlflow");
const writer = createWriter(v.parse(mlflowOptions, { trackingUri: mlflow.skip ? "http://127.0.0.1:1" : mlflow.url }));
const keys = ["loss", "val/loss", "lr"];
const slice = 100;

describe("a sink that is added once the journal was trimmed", { skip: mlflow.skip }, () => {
  for (const program of programs.filter(({ name }) => name !== "deno")) {
    const options = { skip: program.skip, timeout: 120_000 };

    it(`${program.name} gives it all of MLflow once and in order while more is logged`, options, async () => {
      await using world = await open(program.command);
      await world.deliverToFirst(400);
      await world.start(2);
      await world.logUntil(() => world.arrived(1).length > 600);
      await world.settled();
      for (const sink of [0, 1]) {
        assert.deepEqual(judge(world.written, world.arrived(sink)), { missing: [], extra: [] });
        assert.deepEqual(outOfOrder(world.written, world.arrived(sink)), []);
      }
      await world.stop();
      await world.audit();
    });

    it(`${program.name} gives it the same when it comes with a reload`, options, async () => {
      await using world = await open(program.command);
      await world.deliverToFirst(200);
      await world.start(1);
      await world.reload(2);
      await world.logUntil(() => world.arrived(1).length > 600);
      await world.settled();
      for (const sink of [0, 1])
        assert.deepEqual(judge(world.written, world.arrived(sink)), { missing: [], extra: [] });
      await world.stop();
      await world.audit();
    });

    it(`${program.name} loses nothing when it is killed amid that, again and again`, options, async () => {
      await using world = await open(program.command);
      await world.deliverToFirst(1500);
      const kills = 5;
      for (let round = 0; round < kills; round++) {
        await world.start(2);
        const before = world.arrived(1).length;
        // The first ones fall into the reading, as nothing is delivered before its end.
        const isDue = round < 2 ? () => world.isCatchingUp() : () => world.arrived(1).length > before;
        await world.logUntil(isDue);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
        await world.kill();
      }
      await world.start(2);
      await world.settled();
      for (const sink of [0, 1]) {
        const arrived = world.arrived(sink);
        const first = firstOnly(arrived);
        assert.deepEqual(judge(world.written, first), { missing: [], extra: [] });
        assert.deepEqual(outOfOrder(world.written, first), []);
        assert.ok(arrived.length - first.length <= kills * slice, `${arrived.length - first.length} were doubled`);
      }
      await world.stop();
      await world.audit();
    });
  }
});

/** A training, two receivers, and an mlmon that knows the first of them or both. */
async function open(command: readonly [string, ...string[]]) {
  const folder = await temporaryFolder();
  const receivers: PramathusReceiver[] = [await startPramathus(), await startPramathus(30)];
  const name = `new sink ${Date.now()} ${Math.random()}`;
  const experiment = await writer.createExperiment(name);
  const runs = [await writer.createRun(experiment, { startTime: Date.now() })];
  runs.push(await writer.createRun(experiment, { startTime: Date.now() }));
  const written: Point[] = [];
  const state = join(folder.path, "state");
  const config = join(folder.path, "mlmon.config.ts");
  let step = 0;
  let running: ChildProcess | undefined;
  let output = "";

  /** Logs so many steps of every series. */
  async function log(steps: number): Promise<void> {
    for (const run of runs) {
      const points = keys.flatMap((key) =>
        Array.from({ length: steps }, (_, index) => ({
          key,
          value: step + index,
          time: Date.now(),
          step: step + index,
        })),
      );
      for (let from = 0; from < points.length; from += 900) {
        const part = points.slice(from, from + 900);
        await writer.logBatch(
          run,
          part.map(({ time, ...point }) => ({ ...point, timestamp: time })),
        );
      }
      written.push(...points.map((point) => ({ ...point, run, value: String(point.value) })));
    }
    step += steps;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    process.kill(running.pid, signal);
    await gone;
  }

  const world = {
    written,
    arrived: (sink: number) => receivers[sink]?.points() ?? [],
    async start(sinks: number): Promise<void> {
      await writeFile(config, configText(name, receivers.slice(0, sinks)));
      const [file, ...first] = command;
      const flags = ["run", "--config", config, "--state", state, "--listen", "127.0.0.1:0"];
      const child = spawn(file, [...first, ...flags], { cwd: folder.path, stdio: ["ignore", "ignore", "pipe"] });
      child.stderr.on("data", (chunk) => {
        output += chunk;
      });
      running = child;
      await until(() => child.exitCode === null && output.includes("mlmon runs"), 30_000, "the start");
    },
    async reload(sinks: number): Promise<void> {
      await writeFile(config, configText(name, receivers.slice(0, sinks)));
      if (running?.pid) process.kill(running.pid, "SIGHUP");
      await until(() => output.includes("read again for a new sink"), 30_000, "the reload");
    },
    async deliverToFirst(steps: number): Promise<void> {
      await log(steps);
      await world.start(1);
      await until(() => world.arrived(0).length === written.length, 60_000, "the first sink");
      await world.stop();
      output = "";
    },
    async logUntil(isEnough: () => boolean | Promise<boolean>): Promise<void> {
      const deadline = Date.now() + 60_000;
      do await log(5);
      while (!(await isEnough()) && Date.now() < deadline);
    },
    isCatchingUp: async () => (await readdir(state)).some((file) => file.startsWith("catch-up")),
    async settled(): Promise<void> {
      // What is sent twice comes before what is logged after all has arrived.
      for (const last of [0, 1]) {
        await log(last);
        const isThere = (sink: number) => firstOnly(world.arrived(sink)).length >= written.length;
        await until(() => isThere(0) && isThere(1), 60_000, "all points").catch(() => undefined);
        await until(async () => !(await world.isCatchingUp()), 30_000, "the end of the file of the history");
      }
    },
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    async audit(): Promise<void> {
      const journal = await openJournal({ path: join(state, "journal.db"), maxBytes: 1e9 });
      assert.deepEqual(auditLedger(journal), []);
      await journal.close();
      assert.match(output, /MLflow is read again for a new sink/);
      assert.doesNotMatch(output, /does not add up|ERROR/i);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await end("SIGKILL");
      for (const receiver of receivers) await receiver.stop();
      await folder.remove();
    },
  };
  return world;
}

/** Each point where it came for the first time. */
function firstOnly(points: readonly Point[]): readonly Point[] {
  return [
    ...new Map(points.toReversed().map((point) => [`${point.run} ${point.key} ${point.step}`, point])).values(),
  ].toReversed();
}

function configText(experiment: string, receivers: readonly PramathusReceiver[]): string {
  const source = { trackingUri: mlflow.skip ? "" : mlflow.url, experiments: [experiment], interval: "200ms" };
  const sinks = receivers.map(
    ({ url }, index) => `pramathus({ endpoint: "${url}" }, { id: "p${index}", batch: { size: ${slice} } })`,
  );
  return `import { defineConfig, mlflow } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
export default defineConfig({ sources: [mlflow(${JSON.stringify(source)})], sinks: [${sinks.join(", ")}] });
`;
}
