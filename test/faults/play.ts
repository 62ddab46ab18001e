import { until } from "../beds/wait.ts";
import { judge, type Verdict } from "./judge.ts";
import { latestOf, wrongSeries } from "./pages.ts";
import type { Scenario } from "./scenario.ts";
import { begin, openWorld, type PointsSink, type Surroundings, type World } from "./world.ts";

/** What became of a scenario. */
export interface Played extends Verdict {
  readonly name: string;
  /** From the end of the trouble until all that was written before, and something after it, was at both sinks of points. */
  readonly recoveryMs: number;
  /** The last warnings and errors that mlmon has logged. */
  readonly log: readonly string[];
}

/** Plays one scenario from its beginning to its verdict; what cannot be judged is a miss. */
export async function play(
  scenario: Scenario,
  { patienceMs = 90_000, ...surroundings }: Surroundings & { readonly patienceMs?: number },
): Promise<Played> {
  let world: World | undefined;
  let recoveryMs = Number.NaN;
  try {
    world = await openWorld(scenario, surroundings);
    if (!scenario.startsItself) await begin(world, scenario.world?.everyMs);
    await scenario.trouble(world);
    const mended = Date.now();
    const recovered = await caughtUp(world, world.trainings.written() + 1, patienceMs);
    if (recovered) recoveryMs = Date.now() - mended;
    await settle(world, patienceMs);
    const { misses, ...verdict } = await judge(scenario, world);
    const never = recovered ? [] : [`no recovery within ${patienceMs / 1000} s`];
    return { name: scenario.name, recoveryMs, log: troubles(world), ...verdict, misses: [...never, ...misses] };
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

/** Lets the trainings end, and mlmon when it has delivered everything. What does not arrive is for the judge to say. */
async function settle(world: World, patienceMs: number): Promise<void> {
  const { trainings, mlmon, pages } = world;
  const more = trainings.written() + 100;
  await until(() => trainings.written() > more, patienceMs, "the trainings to go on");
  await trainings.rest();
  await caughtUp(world, trainings.written(), patienceMs);
  const latest = latestOf(await trainings.points());
  const right = () => Object.values(pages).every((page) => wrongSeries(latest, page.values()).length === 0);
  await until(right, Math.min(patienceMs, 15_000), "the pages to be right").catch(() => undefined);
  const status = await mlmon.stop();
  if (status !== 0) throw new Error(`mlmon has ended with ${status} after SIGTERM`);
}

/** Waits until each sink of points has delivered, or put away as dead letters, all that was written; false if in vain. */
async function caughtUp({ arrivals, mlmon }: World, written: number, patienceMs: number): Promise<boolean> {
  async function hasAll(sink: PointsSink): Promise<boolean> {
    const missing = written - arrivals[sink].distinct();
    if (missing <= 0) return true;
    const letters = (await mlmon.status())?.sinks.find(({ id }) => id === sink)?.deadLetters ?? {};
    return Object.values(letters).reduce((sum, count) => sum + count, 0) >= missing;
  }
  const all = async () => (await hasAll("pramathus")) && (await hasAll("tally"));
  return until(all, patienceMs).catch(() => false);
}
