import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as v from "valibot";
import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import { mlflowOptions } from "../../src/mlflow/options.ts";
import { createWriter } from "../../src/mlflow/write.ts";
import { bed } from "../beds/bed.ts";
import { until } from "../beds/wait.ts";
import type { Point } from "./judge.ts";
import { startPramathus } from "./pramathus-receiver.ts";
import { programs } from "./programs.ts";

const mlflow = await bed("mlflow");
const kills = 8;

describe("run, killed again and again", { skip: mlflow.skip }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlmon-kill-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const program of programs) {
    it(`${program.name} loses nothing and doubles at most the slice in flight per kill`, {
      skip: program.skip,
    }, async () => {
      const writer = createWriter(v.parse(mlflowOptions, { trackingUri: mlflow.url }));
      const name = `kill ${program.name} ${Date.now()}`;
      const run = await writer.createRun(await writer.createExperiment(name), { startTime: Date.now() });
      const pramathus = await startPramathus();
      const config = join(folder, `${program.name}.config.ts`);
      await writeFile(config, configText(name, pramathus.url));
      let written = 0;
      let running: ChildProcess | undefined;
      const start = () => {
        const [file, ...first] = program.command;
        const flags = ["run", "--config", config, "--state", join(folder, program.name), "--listen", "127.0.0.1:0"];
        running = spawn(file, [...first, ...flags], { cwd: folder, stdio: "ignore" });
      };
      try {
        for (let round = 0; round <= kills; round++) {
          start();
          const before = pramathus.points().length;
          const end = Date.now() + 400 + Math.random() * 600;
          while (Date.now() < end) {
            const from = written;
            written += 50;
            await writer.logBatch(
              run,
              Array.from({ length: 50 }, (_, index) => ({
                key: "n",
                value: from + index,
                timestamp: Date.now(),
                step: from + index,
              })),
            );
          }
          if (round === kills) break;
          await until(() => pramathus.points().length > before, 60_000);
          const gone = running && once(running, "exit");
          running?.kill("SIGKILL");
          await gone;
        }
        const seen = () => new Set(pramathus.points().map(({ step }) => step)).size;
        await until(() => seen() === written, 60_000).catch(() => undefined);
        const arrived = pramathus.points();
        assert.equal(seen(), written, "lost points");
        assert.ok(arrived.length - written <= kills * 100, `${arrived.length - written} points were doubled`);
        assert.deepEqual(
          firstSeen(arrived),
          Array.from({ length: written }, (_, step) => step),
        );
        const gone = running && once(running, "exit");
        running?.kill("SIGTERM");
        await gone;
        const path = join(folder, program.name, "journal.db");
        const journal = await openJournal({ path, maxBytes: 1e9 });
        assert.equal(journal.stored(), written);
        assert.deepEqual(auditLedger(journal), []);
        await journal.close();
      } finally {
        running?.kill("SIGTERM");
        await pramathus.stop();
      }
    });
  }
});

/** The steps in the order in which each came for the first time. */
function firstSeen(points: readonly Point[]): readonly number[] {
  return [...new Set(points.map(({ step }) => step))];
}

function configText(experiment: string, endpoint: string): string {
  return `import { defineConfig, mlflow } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
export default defineConfig({
  sources: [mlflow({ trackingUri: ${JSON.stringify(mlflow.url)}, experiments: [${JSON.stringify(experiment)}], interval: "100ms" })],
  sinks: [pramathus({ endpoint: ${JSON.stringify(endpoint)} })],
});
`;
}
