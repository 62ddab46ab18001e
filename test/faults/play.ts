import { until } from "../beds/wait.ts";
import { judge, type Verdict } from "./judge.ts";
import { latestOf, wrongSeries } from "./pages.ts";
import type { Scenario } from "./scenario.ts";
import { begin, openWorld, type Surroundings, type World } from "./world.ts";

/** What became of a scenario. */
export interface Played extends Verdict {
  readonly name: string;
  /** From the end of the trouble until all that was written before it had arrived everywhere. */
  readonly recoveryMs: number;
  /** The last warnings and errors that mlmon has logged. */
  readonly log: readonly string[];
}

/** Plays one scenario from its beginning to its verdict; what cannot be judged is a miss. */
export async function play(scenario: Scenario, surroundings: Surroundings): Promise<Played> {
  let world: World | undefined;
  let recoveryMs = Number.NaN;
  try {
    world = await openWorld(scenario, surroundings);
    if (!scenario.startsItself) await begin(world, scenario.world?.everyMs);
    await scenario.trouble(world);
    const mended = Date.now();
    await caughtUp(world, world.trainings.written());
    recoveryMs = Date.now() - mended;
    await settle(world);
    const verdict = await judge(scenario, world);
    return { name: scenario.name, recoveryMs, log: troubles(world), ...verdict };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const log = world ? troubles(world) : [];
    return { name: scenario.name, recoveryMs, log, points: world?.trainings.written() ?? 0, sinks: [], misses: [why] };
  } finally {
    await world?.close();
  }
}

function troubles({ mlmon }: World): readonly string[] {
  return mlmon.log.filter((line) => !line.includes(" INFO ")).slice(-8);
}

const patienceMs = 90_000;

/** Lets the trainings end, and mlmon when it has delivered everything. What does not arrive is for the judge to say. */
async function settle(world: World): Promise<void> {
  const { trainings, mlmon, pages } = world;
  const more = trainings.written() + 100;
  await until(() => trainings.written() > more, patienceMs, "the trainings to go on");
  await trainings.rest();
  await caughtUp(world, trainings.written()).catch(() => undefined);
  const latest = latestOf(await trainings.points());
  const right = () => Object.values(pages).every((page) => wrongSeries(latest, page.values()).length === 0);
  await until(right, 15_000, "the pages to be right").catch(() => undefined);
  const status = await mlmon.stop();
  if (status !== 0) throw new Error(`mlmon has ended with ${status} after SIGTERM`);
}

/** Waits until each sink of points has delivered, or put away as dead letters, as many points as were written. */
async function caughtUp({ arrivals, mlmon }: World, written: number): Promise<void> {
  for (const [sink, arrived] of Object.entries(arrivals)) {
    const missing = async () => {
      if (arrived.distinct() >= written) return 0;
      const status = await mlmon.status();
      const letters = status?.sinks.find(({ id }) => id === sink)?.deadLetters ?? {};
      return written - arrived.distinct() - Object.values(letters).reduce((sum, count) => sum + count, 0);
    };
    await until(async () => (await missing()) <= 0, patienceMs, `${sink} to have all ${written} points`);
  }
}
