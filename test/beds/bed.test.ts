import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
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
  it("ends the server, its children and its folder when its stdin closes", async () => {
    const { path: folder } = await temporaryFolder();
    const text = `sleep 300 & echo $! > "$0/child.part"; mv "$0/child.part" "$0/child"; wait`;
    const guard = spawn(join(import.meta.dirname, "guard.sh"), [folder, "sh", "-c", text, folder], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    const child = await until(async () => Number(await readFile(join(folder, "child"), "utf8")));
    assert.equal(existsSync(`/proc/${child}`) || process.platform !== "linux", true);
    guard.stdin.end();
    await until(() => !existsSync(folder));
    assert.equal(existsSync(`/proc/${child}`), false);
  });
});
