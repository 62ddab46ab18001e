import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { freePort, until } from "../beds/wait.ts";

const script = join(import.meta.dirname, "../../scripts/start.js");

describe("npm start", () => {
  it("shows changing numbers, delivers to all three sinks, and ends with status 0 at Ctrl-C", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const env = { ...process.env, MLMON_LISTEN: `127.0.0.1:${port}` };
    const child = spawn("node", [script], { env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    try {
      const accuracies = async () => {
        const page = await (await fetch(`${url}/metrics`)).text();
        return page.split("\n").filter((line) => line.startsWith("mlflow_accuracy{"));
      };
      const first = await until(async () => {
        const lines = await accuracies();
        return lines.length > 0 && lines;
      }, 60_000);
      await until(async () => (await accuracies()).join() !== first.join());
      await until(async () => {
        const { sinks } = (await (await fetch(`${url}/api/v1/status`)).json()) as { sinks: { delivered: number }[] };
        return sinks.length === 3 && sinks.every(({ delivered }) => delivered > 0);
      });
      assert.match(said, new RegExp(`Status page +${url}/`));
    } finally {
      // not child.kill(): Deno then gives no status
      if (child.pid) process.kill(child.pid, "SIGINT");
      assert.equal(await ended, 0);
    }
    await assert.rejects(fetch(url));
  });
});
