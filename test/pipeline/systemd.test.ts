import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { silentLog } from "../../src/model/log.ts";
import { connectSystemd } from "../../src/pipeline/systemd.ts";
import { temporaryFolder, until } from "../beds/wait.ts";
import { openNotifySocket, skip } from "../fixtures/notify-socket.ts";

describe("connectSystemd()", () => {
  it("tells the whole life of a service to a real socket, with the clock that systemd reads", { skip }, async () => {
    await using folder = await temporaryFolder();
    await using socket = await openNotifySocket(join(folder.path, "notify"));
    const systemd = await connectSystemd({ env: { NOTIFY_SOCKET: socket.path }, log: silentLog });
    systemd.ready(() => "all\nwell");
    systemd.reloading();
    systemd.reloaded();
    systemd.stopping(2000);
    systemd.close();
    await until(() => socket.datagrams.length === 5);
    const texts = socket.datagrams.map(({ lines }) => lines.join(" ").replace(/MONOTONIC_USEC=\d+/, "MONOTONIC_USEC"));
    assert.deepEqual(texts, [
      "READY=1",
      "STATUS=all well",
      "RELOADING=1 MONOTONIC_USEC",
      "READY=1",
      "STOPPING=1 EXTEND_TIMEOUT_USEC=2000000 STATUS=stopping",
    ]);
    const reloading = socket.datagrams[2];
    const said = Number(reloading?.lines[1]?.split("=")[1]);
    assert.ok(Math.abs((reloading?.at ?? 0) - said) < 5_000_000, `${said} is not near ${reloading?.at}`);
  });

  it("reaches an abstract socket", { skip }, async () => {
    await using socket = await openNotifySocket(`@mlmon-test-${process.pid}-${Date.now()}`);
    const systemd = await connectSystemd({ env: { NOTIFY_SOCKET: socket.path }, log: silentLog });
    systemd.reloaded();
    await until(() => socket.lines().includes("READY=1"));
    systemd.close();
  });

  it("feeds the watchdog twice in its time, and not while the main loop is blocked", { skip }, async () => {
    await using folder = await temporaryFolder();
    await using socket = await openNotifySocket(join(folder.path, "notify"));
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "400000", WATCHDOG_PID: String(process.pid) };
    const systemd = await connectSystemd({ env, log: silentLog });
    systemd.ready(() => "");
    const fed = () => socket.datagrams.filter(({ lines }) => lines[0] === "WATCHDOG=1");
    await until(() => fed().length >= 4);
    const blockedUntil = performance.now() + 1000;
    while (performance.now() < blockedUntil);
    const before = fed().length;
    await until(() => fed().length >= before + 2);
    systemd.close();
    const times = fed().map(({ at }) => at);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    assert.ok(
      gaps.some((gap) => gap > 800_000),
      `no gap in ${gaps}`,
    );
    assert.ok(
      gaps.some((gap) => gap > 150_000 && gap < 300_000),
      `never 200 ms in ${gaps}`,
    );
  });

  it("leaves the watchdog of another process alone", { skip }, async () => {
    await using folder = await temporaryFolder();
    await using socket = await openNotifySocket(join(folder.path, "notify"));
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" };
    const systemd = await connectSystemd({ env, log: silentLog });
    systemd.ready(() => "up");
    await until(() => socket.lines().includes("STATUS=up"));
    systemd.close();
    assert.ok(!socket.lines().includes("WATCHDOG=1"));
  });

  it("says once that it cannot, and goes on", async () => {
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const open = () => Promise.reject(new Error("no library"));
    const systemd = await connectSystemd({ env: { NOTIFY_SOCKET: "/nowhere" }, log, open });
    systemd.ready(() => "");
    systemd.stopping(1);
    assert.deepEqual(warnings, ["systemd cannot be told when mlmon is ready: use Type=exec in its unit"]);
    const without = await connectSystemd({ env: {}, log, open });
    without.ready(() => "");
    assert.equal(warnings.length, 1);
  });
});
