import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { defineSource, v } from "../../src/index.ts";
import { silentLog } from "../../src/model/log.ts";
import { exportOnce } from "../../src/pipeline/export-once.ts";
import { bed } from "../beds/bed.ts";
import { startPushgateway } from "../beds/servers.ts";
import { temporaryFolder } from "../beds/wait.ts";
import { resolved } from "../config/make-config.ts";
import { makeBatch, makeRun, makeSamples } from "../fixtures/samples.ts";

const servers = await bed("servers");

describe("a real Pushgateway", { skip: servers.skip }, () => {
  it("holds every run once after each change of groupBy", async () => {
    const gateway = await startPushgateway();
    await using folder = await temporaryFolder();
    try {
      const runs = ["vision", "text"].map((name, at) =>
        makeRun({ id: `${at}`.repeat(32), experiment: { id: `${at}`, name }, startTime: Date.now() }),
      );
      const given = defineSource("given", v.strictObject({}), () => ({
        async *read({ state }) {
          if (state.get("done")) return;
          state.set("done", "yes");
          yield makeBatch(
            runs.flatMap((run) => makeSamples(1, { run })),
            { runs },
          );
        },
      }));
      for (const groupBy of ["job", "experiment", "job"] as const) {
        const config = resolved({ sources: [given()], sinks: [pushgateway({ endpoint: gateway.url, groupBy })] });
        const { signal } = new AbortController();
        await exportOnce({ config, log: silentLog, signal, stateDir: folder.path, giveUpMs: 5000 });
        const page = await (await fetch(`${gateway.url}/metrics`)).text();
        const shown = page.split("\n").filter((line) => line.startsWith("mlflow_loss{"));
        assert.equal(shown.length, 2, `groupBy: "${groupBy}":\n${shown.join("\n")}`);
      }
    } finally {
      await gateway.stop();
    }
  });
});
