import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import * as v from "valibot";

/** One mlmon under test, started again and again on the same configuration, state folder and port. */
export interface Mlmon {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The lines it has logged, of all its lives. */
  readonly log: readonly string[];
  /** Times at which it was ended by SIGKILL. */
  readonly kills: number;
  start(options?: StartOptions): void;
  /** The id of the process, while there is one. */
  pid(): number | undefined;
  /** Sends a signal. */
  signal(name: NodeJS.Signals): void;
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>;
  /** Notes an end by force that was not by `kill`. */
  countKill(): void;
  /** Waits for its end: the status, or the signal that ended it. */
  ended(): Promise<number | NodeJS.Signals>;
  /** Sends SIGTERM and waits for the end; the status. */
  stop(): Promise<number | NodeJS.Signals>;
  /** `/api/v1/status`, or nothing while it does not answer. */
  status(): Promise<MlmonStatus | undefined>;
}

export interface StartOptions {
  /** Put before the command: `["prlimit", "--data=…"]`. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The user it runs as; the own one by default. */
  readonly uid?: number;
}

/** Makes one that is not running yet. */
export function createMlmon(options: {
  /** What each start is given unless it says otherwise. */
  readonly always: StartOptions;
  readonly binary: string;
  readonly config: string;
  readonly state: string;
  readonly port: number;
  readonly folder: string;
}): Mlmon {
  const { always, binary, config, state, port, folder } = options;
  const url = `http://127.0.0.1:${port}`;
  const log: string[] = [];
  let child: ChildProcess | undefined;
  let end: Promise<number | NodeJS.Signals> = Promise.resolve(0);
  let kills = 0;

  const mlmon: Mlmon = {
    url,
    log,
    get kills() {
      return kills;
    },
    start(more = {}) {
      const { prefix = [], env = {}, uid } = { ...always, ...more };
      const flags = ["run", "--config", config, "--state", state, "--listen", `127.0.0.1:${port}`];
      const [file = binary, ...args] = [...prefix, binary, ...flags];
      const started = spawn(file, args, {
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
        env: { ...process.env, ...env },
        ...(uid !== undefined && { uid, gid: uid }),
      });
      child = started;
      createInterface({ input: started.stderr }).on("line", (line) => log.push(line));
      end = new Promise((resolve) => {
        started.once("error", (error) => {
          log.push(error.message);
          resolve(127);
        });
        started.once("close", (status, signal) => {
          if (child === started) child = undefined;
          resolve(signal ?? status ?? 127);
        });
      });
    },
    pid: () => child?.pid,
    signal(name) {
      if (child?.pid !== undefined) process.kill(child.pid, name);
    },
    async kill() {
      if (child) kills += 1;
      mlmon.signal("SIGKILL");
      await end;
    },
    countKill() {
      kills += 1;
    },
    ended: () => end,
    async stop() {
      mlmon.signal("SIGTERM");
      return end;
    },
    async status() {
      const answer = await fetch(`${url}/api/v1/status`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      if (!answer?.ok) return undefined;
      const found = v.safeParse(statusSchema, await answer.json().catch(() => undefined));
      return found.success ? found.output : undefined;
    },
  };
  return mlmon;
}

/** The part of the status that the harness reads. */
const statusSchema = v.object({
  sources: v.array(v.object({ id: v.string(), state: v.string() })),
  sinks: v.array(
    v.object({ id: v.string(), state: v.string(), waiting: v.number(), deadLetters: v.record(v.string(), v.number()) }),
  ),
});

export type MlmonStatus = v.InferOutput<typeof statusSchema>;
