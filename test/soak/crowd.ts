import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "./world.ts";

/** Runs that pass through an MLflow: each begins, logs, ends, is deleted and removed, some after they were restored. */
export interface Crowd {
  /** Begins so many runs, `perSecond` of them a second, in an experiment that is removed after the last one. */
  pass(count: number, perSecond: number): Promise<void>;
  /** Resolves when all that have begun are gone. */
  gone(): Promise<void>;
  /** Runs that are gone. */
  passed(): number;
  /** Runs that are there now. */
  alive(): number;
  /** Points logged so far. */
  written(): number;
}

export interface CrowdOptions {
  readonly world: World;
  /** How the names of its experiments begin. */
  readonly prefix: string;
  /** Between 0 and 1, as `Math.random`. */
  readonly random: () => number;
  /** Resolves when the source has read all that was logged before the call: only then may a run be removed. */
  readonly read: () => Promise<void>;
  /** How long a run lives, at least and at most, ms. */
  readonly lifeMs: readonly [least: number, most: number];
}

/** Makes a crowd without runs. */
export function createCrowd({ world, prefix, random, read, lifeMs }: CrowdOptions): Crowd {
  let written = 0;
  let passed = 0;
  let alive = 0;
  let experiments = 0;
  let failure: unknown;
  const parts: Promise<void>[] = [];
  let next: ReturnType<typeof createExperiment> | undefined;

  async function createExperiment(): Promise<{ readonly id: string; readonly at: number }> {
    const id = await world.createExperiment(`${prefix} ${experiments++}`);
    return { id, at: Date.now() };
  }

  function between([least, most]: readonly [number, number]): number {
    return least + random() * (most - least);
  }

  async function logTo(run: string, step: number): Promise<void> {
    const timestamp = Date.now();
    const points = keys.flatMap((key) =>
      [0, 1].map((more) => ({ key, value: random(), timestamp: timestamp + more, step: step + more })),
    );
    await world.log(run, points);
    written += points.length;
  }

  async function live(experiment: string, name: string): Promise<void> {
    const third = between(lifeMs) / 3;
    const fate = random();
    const run = await world.createRun(experiment, name);
    for (const step of [0, 2, 4]) {
      await logTo(run, step);
      await sleep(third);
    }
    // One in twenty is deleted while it runs; the others end.
    if (fate > 0.05) {
      await world.end(run, random() < 0.8 ? "FINISHED" : random() < 0.5 ? "FAILED" : "KILLED");
      await read();
    }
    // One in five comes back from the trash, and half of these with more points.
    if (fate > 0.8) {
      await world.delete(run);
      await sleep(third);
      await world.restore(run);
      if (fate > 0.9) await logTo(run, 6);
    }
    await read();
    await world.delete(run);
    // Most are removed before a poll can see them deleted.
    if (fate < 0.3) await sleep(between(lifeMs));
    await world.remove(run);
  }

  async function pursue(experiment: string, name: string): Promise<void> {
    alive += 1;
    await live(experiment, name).catch((error) => {
      failure ??= error;
    });
    alive -= 1;
    passed += 1;
  }

  return {
    passed: () => passed,
    alive: () => alive,
    written: () => written,
    async pass(count, perSecond) {
      // Made ahead, as the source looks for new experiments now and then only.
      const known = (await next) ?? (await createExperiment());
      next = createExperiment();
      await sleep(Math.max(0, known.at + discoveryMs - Date.now()));
      const experiment = known.id;
      const begun = Date.now();
      const lives: Promise<void>[] = [];
      for (let index = 0; index < count && failure === undefined; index++) {
        await sleep(Math.max(0, begun + (1000 * index) / perSecond - Date.now()));
        // What cannot keep up is waited for: the measure is what runs leave behind, not how fast they pass.
        while (alive >= (perSecond * lifeMs[1] * 5) / 1000 + 20) await sleep(50);
        lives.push(pursue(experiment, `run ${index}`));
      }
      parts.push(Promise.all(lives).then(() => world.removeExperiment(experiment)));
      if (failure !== undefined) throw failure;
    },
    async gone() {
      await Promise.all(parts.splice(0));
      if (failure !== undefined) throw failure;
    },
  };
}

/** At an interval of 500 ms the list of experiments is read every 5 s. */
const discoveryMs = 6000;

const keys = ["loss", "val/accuracy", "gradient norm"];
