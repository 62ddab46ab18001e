import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import * as v from "valibot";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { type Program, programs } from "./programs.ts";

const mlflow = await bed("mlflow");

describe("run, whose transforms change", { skip: mlflow.skip }, () => {
  for (const program of programs) {
    it(`${program.name} shows what dry-run shows, after a reload and after a kill amid it`, {
      skip: program.skip,
    }, async () => {
      await using folder = await temporaryFolder();
      const experiment = `transforms ${program.name} ${Date.now()}`;
      await train(experiment);
      const config = join(folder.path, "mlmon.config.ts");
      const write = (transforms: string) => writeFile(config, configText(experiment, transforms));
      const port = await freePort();
      const address = `http://127.0.0.1:${port}`;
      await write(`label({ env: "dev" })`);
      let child = start(program, folder.path, port);
      const page = async () => shown(await fetch(`${address}/metrics`).then((answer) => answer.text()));
      const preview = async () => shown(await program.run(["dry-run", "--sink", "prometheus", "--raw"], folder.path));
      const settles = async () => {
        const wanted = await preview();
        await until(async () => String(await page()) === String(wanted), 30_000).catch(() => undefined);
        assert.deepEqual(await page(), wanted);
        return wanted.length;
      };
      const end = async (signal: "SIGKILL" | "SIGTERM") => {
        const ended = once(child, "exit");
        child.kill(signal);
        await ended;
      };
      try {
        assert.equal(await settles(), 6);
        await write(`label({ env: "prod" }), filter(({ name, step }) => name !== "debug" && step < 4)`);
        assert.equal((await fetch(`${address}/-/reload`, { method: "POST" })).status, 200);
        assert.equal(await settles(), 4);
        await write(`rename({ loss: "renamed" }), thin({ interval: "1h" })`);
        assert.equal((await fetch(`${address}/-/reload`, { method: "POST" })).status, 200);
        await end("SIGKILL");
        child = start(program, folder.path, port);
        assert.equal(await settles(), 6);
        await end("SIGTERM");
        await write("");
        child = start(program, folder.path, port);
        assert.equal(await settles(), 6);
      } finally {
        if (child.exitCode === null && child.signalCode === null) await end("SIGTERM");
      }
    });
  }
});

/** Two runs, one of them finished, of three metrics with five points each. */
async function train(experiment: string): Promise<void> {
  const writer = createWriter(v.parse(mlflowOptions, { trackingUri: mlflow.url }));
  const id = await writer.createExperiment(experiment);
  for (const ends of [true, false]) {
    const run = await writer.createRun(id, { startTime: Date.now() });
    const keys = ["loss", "acc", "debug"];
    await writer.logBatch(
      run,
      keys.flatMap((key) =>
        [0, 1, 2, 3, 4].map((step) => ({ key, value: step / 2, timestamp: Date.now() + step, step })),
      ),
    );
    if (ends) await writer.updateRun(run, { status: "FINISHED", endTime: Date.now() });
  }
}

function start(program: Program, cwd: string, port: number): ChildProcess {
  const [file, ...first] = program.command;
  return spawn(file, [...first, "run", "--listen", `127.0.0.1:${port}`], { cwd, stdio: "ignore" });
}

/** The series of metrics, without those of runs and counts. */
function shown(page: string): string[] {
  return page
    .split("\n")
    .filter((line) => /^mlflow_(loss|acc|debug|renamed)\{/.test(line))
    .sort();
}

function configText(experiment: string, transforms: string): string {
  return `import { defineConfig, filter, label, mlflow, rename, thin } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
export default defineConfig({
  sources: [mlflow({ trackingUri: ${JSON.stringify(mlflow.url)}, experiments: [${JSON.stringify(experiment)}], interval: "200ms" })],
  transforms: [${transforms}],
  sinks: [prometheus(), pramathus({ endpoint: "http://127.0.0.1:9/" })],
});
`;
}
