import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import * as v from "valibot";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { judge, outOfOrder, type Point } from "./judge.ts";
import { type PramathusReceiver, startPramathus } from "./pramathus-receiver.ts";
import { programs } from "./programs.ts";

const mlflow = await bed("mlflow");

describe("run, reloaded under load", { skip: mlflow.skip }, () => {
  for (const program of programs) {
    it(`${program.name} loses and doubles nothing, and asks the untouched sink nothing anew`, {
      skip: program.skip,
    }, async () => {
      await using folder = await temporaryFolder();
      const [kept, changing, coming] = [await startPramathus(), await startPramathus(40), await startPramathus()];
      const written = await startTraining(`reload ${program.name} ${Date.now()}`);
      const config = join(folder.path, "mlmon.config.ts");
      const port = await freePort();
      const sinks = {
        kept: entry("kept", kept, ", { id: ID }"),
        changing: (size: number) => entry("changing", changing, `, { id: ID, batch: { size: ${size} } }`),
        coming: entry("coming", coming, ", { id: ID }"),
      };
      const write = (...lines: readonly string[]) => writeFile(config, configText(written.experiment, lines));
      await write(sinks.kept, sinks.changing(100));
      const [file, ...first] = program.command;
      const words = [...first, "run", "--listen", `127.0.0.1:${port}`, "--log-format", "json"];
      const child = spawn(file, words, { cwd: folder.path, stdio: ["ignore", "ignore", "pipe"] });
      const ended = once(child, "exit");
      let log = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
      const reload = async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/-/reload`, { method: "POST" });
        return { status: answer.status, text: (await answer.text()).trim() };
      };
      const flowing = () => {
        const counts = [kept, changing].map(({ bodies }) => bodies.length);
        return until(() => [kept, changing].every(({ bodies }, index) => bodies.length > (counts[index] ?? 0) + 3));
      };
      try {
        await flowing();
        await write(sinks.kept, sinks.changing(100), sinks.coming);
        assert.deepEqual(await reload(), { status: 200, text: "sinks: added coming" });
        await flowing();
        await write(sinks.kept, sinks.changing(7), sinks.coming);
        assert.deepEqual(await reload(), { status: 200, text: "sinks: changed changing" });
        await flowing();
        await write(sinks.kept, sinks.changing(7), "pramathus({ endpont: 'x' })");
        const refused = await reload();
        assert.equal(refused.status, 400);
        assert.match(refused.text, /sinks\[2\]\.endpont: .*did you mean "endpoint"/);
        await flowing();
        assert.match(await metrics(port), /^mlmon_config_last_reload_successful 0$/m);
        await write(sinks.kept, sinks.changing(7), sinks.coming, "nonsense(");
        assert.equal((await reload()).status, 400);
        await write(sinks.kept, sinks.changing(50));
        if (child.pid !== undefined) process.kill(child.pid, "SIGHUP");
        await until(() => log.includes('"by":"SIGHUP"'));
        assert.match(log, /"by":"SIGHUP","sinks":"changed changing; removed coming"/);
        assert.match(await metrics(port), /^mlmon_config_last_reload_successful 1$/m);
        await flowing();

        const expected = await written.end();
        await until(() => [kept, changing].every((one) => one.points().length >= expected.length), 60_000);
        const nothing = { missing: [], extra: [] };
        for (const [name, receiver] of Object.entries({ kept, changing })) {
          assert.deepEqual(judge(expected, receiver.points()), nothing, name);
          assert.deepEqual(outOfOrder(expected, receiver.points()), [], name);
        }
        const early = coming.points();
        assert.deepEqual(judge(expected, early).extra, []);
        assert.ok(early.length > 0 && early.length < expected.length, `${early.length} of ${expected.length}`);
      } finally {
        await written.end();
        if (child.pid !== undefined && child.exitCode === null) process.kill(child.pid, "SIGTERM");
        await ended;
        for (const receiver of [kept, changing, coming]) await receiver.stop();
      }
      assert.equal(child.exitCode, 0);
    });
  }
});

/** A training that writes points until it is told to end; then it gives all of them. */
async function startTraining(experiment: string) {
  const writer = createWriter(v.parse(mlflowOptions, { trackingUri: mlflow.url }));
  const run = await writer.createRun(await writer.createExperiment(experiment), { startTime: Date.now() });
  const points: Point[] = [];
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      const batch = Array.from({ length: 40 }, (_, index) => {
        const step = points.length + index;
        return { key: "n", value: step, timestamp: Date.now(), step };
      });
      await writer.logBatch(run, batch);
      for (const { key, value, timestamp, step } of batch) {
        points.push({ run, key, value: String(value), time: timestamp, step });
      }
    }
  })();
  return {
    experiment,
    async end() {
      isOver = true;
      await writing;
      return points;
    },
  };
}

async function metrics(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

function entry(id: string, { url }: PramathusReceiver, host: string): string {
  return `pramathus({ endpoint: ${JSON.stringify(url)} }${host.replace("ID", JSON.stringify(id))})`;
}

function configText(experiment: string, sinks: readonly string[]): string {
  return `import { defineConfig, mlflow } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
export default defineConfig({
  sources: [mlflow({ trackingUri: ${JSON.stringify(mlflow.url)}, experiments: [${JSON.stringify(experiment)}], interval: "100ms" })],
  sinks: [${sinks.join(", ")}],
});
`;
}
