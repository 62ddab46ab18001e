import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import { oneLine } from "../model/one-line.ts";
import { type Datagrams, openDatagrams } from "../runtime/datagram.ts";

/** Tells systemd how the service is doing (sd_notify(3)); without systemd each call does nothing. */
export interface Systemd {
  /** The service is up: from now on the watchdog is fed, and `status()` is shown by `systemctl status`. */
  ready(status: () => string): void;
  /** Loading the configuration again; `ready` or `reloaded` must follow. */
  reloading(): void;
  reloaded(): void;
  /** On its way to the end, which takes `ms` at most. */
  stopping(ms: number): void;
  close(): void;
}

/** What systemd has given, and how it is told. */
export interface SystemdOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly pid?: number;
  /** Opens the socket; the real one by default. */
  readonly open?: (path: string) => Promise<Datagrams>;
}

/** How often the status line is told anew, when it has changed. */
const statusMs = 10_000;

/** Connects to the service manager named by `NOTIFY_SOCKET`; a failure is a warning and ends in silence. */
export async function connectSystemd({ env, log, pid = process.pid, ...options }: SystemdOptions): Promise<Systemd> {
  const path = env.NOTIFY_SOCKET;
  if (!path) return silent;
  const open = options.open ?? openDatagrams;
  const socket = await open(path).catch((error: unknown) => {
    const reason = messageOf(error);
    log.warn("systemd cannot be told when mlmon is ready: use Type=exec in its unit", { reason });
  });
  return socket ? talk(socket, watchdogMs(env, pid)) : silent;
}

function talk(socket: Datagrams, feedMs: number | undefined): Systemd {
  const timers: ReturnType<typeof setInterval>[] = [];
  let said = "";
  let isStopping = false;
  // These timers run on the loop that does all the work: one that is blocked feeds no watchdog.
  function every(ms: number, task: () => void): void {
    task();
    timers.push(setInterval(task, ms).unref());
  }
  function tell(...lines: readonly string[]): boolean {
    return socket.send(lines.join("\n"));
  }
  return {
    ready(status) {
      tell("READY=1");
      if (feedMs !== undefined) every(feedMs, () => tell("WATCHDOG=1"));
      every(statusMs, () => {
        const text = oneLine(status());
        if (!isStopping && text !== said && tell(`STATUS=${text}`)) said = text;
      });
    },
    reloading: () => void tell("RELOADING=1", `MONOTONIC_USEC=${socket.monotonicMicros()}`),
    reloaded: () => void tell("READY=1"),
    stopping(ms) {
      isStopping = true;
      tell("STOPPING=1", `EXTEND_TIMEOUT_USEC=${ms * 1000}`, "STATUS=stopping");
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      socket.close();
    },
  };
}

/** Half of what the unit's `WatchdogSec` allows; nothing when there is no watchdog, or it is another process's. */
function watchdogMs(env: SystemdOptions["env"], pid: number): number | undefined {
  const micros = Number(env.WATCHDOG_USEC);
  if (!Number.isFinite(micros) || micros <= 0) return undefined;
  if (env.WATCHDOG_PID && Number(env.WATCHDOG_PID) !== pid) return undefined;
  return Math.max(1, micros / 2000);
}

const silent: Systemd = { ready() {}, reloading() {}, reloaded() {}, stopping() {}, close() {} };
