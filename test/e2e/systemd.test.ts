import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { temporaryFolder, until } from "../beds/wait.ts";
import { openNotifySocket, skip } from "../fixtures/notify-socket.ts";
import { programs } from "./programs.ts";

describe("run under systemd", { skip }, () => {
  for (const program of programs) {
    it(`${program.name} says when it is ready, feeds the watchdog, says that it reloads and that it stops`, {
      skip: program.skip,
    }, async () => {
      await using folder = await temporaryFolder();
      await using socket = await openNotifySocket(join(folder.path, "notify"));
      await writeFile(join(folder.path, "mlmon.config.ts"), config);
      const [file, ...first] = program.command;
      const env = { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "200000", WATCHDOG_PID: "" };
      const words = [...first, "run", "--listen", "127.0.0.1:0", "--drain", "1s"];
      const child = spawn(file, words, { cwd: folder.path, env, stdio: "ignore" });
      const ended = once(child, "exit");
      try {
        await until(() => socket.lines().filter((line) => line === "WATCHDOG=1").length >= 3);
        if (child.pid !== undefined) process.kill(child.pid, "SIGHUP");
        await until(() => socket.lines().filter((line) => line === "READY=1").length === 2);
      } finally {
        if (child.pid !== undefined) process.kill(child.pid, "SIGTERM");
      }
      assert.deepEqual(socket.datagrams[0]?.lines, ["READY=1"]);
      assert.ok(socket.lines().includes("RELOADING=1"));
      assert.ok(socket.lines().some((line) => /^STATUS=(not )?ready: /.test(line)));
      assert.deepEqual(await ended, [0, null]);
      assert.ok(socket.lines().includes("STOPPING=1"));
    });
  }
});

const config = `
import { defineSource, v } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
const quiet = defineSource("quiet", v.strictObject({}), () => ({
  async *read({ signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
}));
export default { sources: [quiet()], sinks: [prometheus()] };`;
