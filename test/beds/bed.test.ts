import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { bed } from "./bed.ts";
import { startProcess } from "./process.ts";
import { startPrometheus, startPushgateway, startVictoriaMetrics } from "./servers.ts";
import { freePort, temporaryFolder, until } from "./wait.ts";

const mlflow = await bed("mlflow");
const servers = await bed("servers");

describe("the MLflow bed", { skip: mlflow.skip }, () => {
  it("answers with its version", async () => {
    const answer = await fetch(`${mlflow.url}/version`);
    assert.match(await answer.text(), /^\d+\.\d+\.\d+/);
  });

  it("is the same server for all who ask", async () => {
    assert.equal((await bed("mlflow")).url, mlflow.url);
  });
});

describe("the servers", { skip: servers.skip }, () => {
  for (const start of [startPrometheus, startPushgateway, startVictoriaMetrics]) {
    it(`${start.name}() gives a server that is ready and gone after stop()`, async () => {
      const { url, stop } = await start();
      try {
        assert.equal((await fetch(`${url}/metrics`)).status, 200);
      } finally {
        await stop();
      }
      await assert.rejects(fetch(`${url}/metrics`));
    });
  }
});

describe("startProcess()", () => {
  it("says what a server printed that ended before it was ready", async () => {
    const { path: folder } = await temporaryFolder();
    const url = `http://127.0.0.1:${await freePort()}`;
    const command = ["sh", "-c", "echo no such option >&2; exit 3"] as const;
    await assert.rejects(
      startProcess({ name: "it", command: [...command], folder, url, ready: "/" }),
      /no such option/,
    );
    assert.equal(existsSync(folder), false);
  });
});

describe("guard.sh", () => {
  it("ends the server, its children and its folder when the test process is killed", async () => {
    const { path: folder } = await temporaryFolder();
    const guard = join(import.meta.dirname, "guard.sh");
    // The middle shell plays the test process: it holds the guard's stdin and is killed.
    const text = `sleep 300 | "$0" "$1" sh -c 'sleep 301 & echo $! >"$0/pid"; wait' "$1" & sleep 0.1; cat "$1/pid" 2>/dev/null; wait`;
    const shell = promisify(execFile)("timeout", ["--signal=KILL", "2", "bash", "-c", text, guard, folder]);
    await assert.rejects(shell);
    await until("the folder to go", () => !existsSync(folder));
  });
});
