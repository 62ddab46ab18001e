import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { temporaryFolder, until } from "../beds/wait.ts";
import { type Receiver, startReceiver } from "../fixtures/receiver.ts";
import { givenConfig } from "./given-config.ts";
import { type Ended, mlmon } from "./mlmon.ts";

/** A folder with a configuration that reads `count` points once, and a receiver that refuses some of them. */
export interface QueueWorld {
  readonly receiver: Receiver;
  /** While it is ill, the receiver refuses each request that holds a step of `bad`. */
  ill: boolean;
  /** While it is locked, the receiver answers every request with 401. */
  locked: boolean;
  /** From so many arrived steps on the receiver does not answer any more. */
  hangsAt: number;
  /** The steps that have arrived, in order. */
  steps(): readonly number[];
  /** Runs `mlmon queue …` to its end. */
  queue(...words: readonly string[]): Promise<Ended>;
  /** What `mlmon queue --json` shows of the sink. */
  sink(): Promise<SinkQueue>;
  /** Runs mlmon beside what `work` does, and stops it in order; gives its log. */
  running(work: (pid: number) => Promise<void>): Promise<string>;
  close(): Promise<void>;
}

interface SinkQueue {
  readonly id: string;
  readonly state: string;
  readonly waiting: number;
  readonly bytes: number;
  readonly oldestSeconds: number | null;
  readonly replaying: number;
  readonly deadLetters: Readonly<Record<string, number>>;
}

/** Three points in five are bad: the others must not be held up by them. */
export const bad = (step: number) => step % 5 > 1;

export interface WorldOptions {
  readonly count?: number;
  /** More of the configuration, such as `server: { … }`. */
  readonly rest?: string;
  /** The delivery options of the sink. */
  readonly host?: string;
}

export async function openQueueWorld({
  count = 20,
  rest = "",
  host = "{ batch: { size: 10 } }",
}: WorldOptions = {}): Promise<QueueWorld> {
  const folder = await temporaryFolder();
  const receiver = await startReceiver((body) => {
    if (world.steps().length >= world.hangsAt) return "hang";
    if (world.locked) return { status: 401 };
    return world.ill && stepsOf(body).some(bad) ? { status: 422, body: "step is out of luck" } : { status: 200 };
  });
  await writeFile(join(folder.path, "mlmon.config.ts"), givenConfig(receiver.url, { count, rest, host }));
  const world: QueueWorld = {
    receiver,
    ill: true,
    locked: false,
    hangsAt: Number.POSITIVE_INFINITY,
    steps: () => receiver.stored().flatMap(stepsOf),
    queue: (...words) => mlmon(["queue", ...words], { cwd: folder.path }),
    async sink() {
      const { stdout } = await world.queue("--json");
      return JSON.parse(stdout).sinks[0];
    },
    async running(work) {
      let pid = 0;
      const ending = mlmon(["run", "--listen", "127.0.0.1:0"], {
        cwd: folder.path,
        onStarted: (started) => {
          pid = started;
        },
      });
      try {
        await until(async () => JSON.parse((await world.queue("--json")).stdout).startedAt !== null, 30_000, "mlmon");
        await work(pid);
      } finally {
        process.kill(pid, "SIGTERM");
      }
      return (await ending).stderr;
    },
    async close() {
      await receiver.stop();
      await folder.remove();
    },
  };
  return world;
}

function stepsOf(body: string): number[] {
  return [...body.matchAll(/"step":(\d+)/g)].map(([, step]) => Number(step));
}
