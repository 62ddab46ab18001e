import { auditLedger } from "../../src/journal/audit.ts";
import type { DeadLetter } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Point } from "../e2e/judge.ts";
import { idOf } from "./arrivals.ts";
import { compare } from "./compare.ts";
import { slices } from "./config-text.ts";
import { latestOf, wrongSeries } from "./pages.ts";
import type { Scenario } from "./scenario.ts";
import type { JudgedSink, PointsSink, World } from "./world.ts";

/** What one sink has made of a scenario. */
export interface SinkVerdict {
  readonly sink: JudgedSink;
  /** Points that MLflow has, and neither the receiver nor an accounted dead letter; for pages, series that are wrong. */
  readonly lost: number;
  readonly doubled: number;
  readonly mayDouble: number;
  readonly outOfOrder: number;
  /** Points that MLflow does not hold, or that have arrived and are dead letters all the same. */
  readonly strange: number;
  /** Dead letters that say what the receiver said. */
  readonly dead: number;
}

export interface Verdict {
  readonly points: number;
  readonly sinks: readonly SinkVerdict[];
  /** What misses the bar, in sentences; empty when nothing does. */
  readonly misses: readonly string[];
}

/** Compares what MLflow holds with what has arrived everywhere; called when mlmon has ended. */
export async function judge(scenario: Scenario, world: World): Promise<Verdict> {
  const points = await world.trainings.points();
  const misses = world.mlmon.log.filter((line) => line.includes("does not add up"));
  const journal = await openJournal({ path: `${world.state}/journal.db`, maxBytes: 1e12 });
  const letters = journal.dead.page({}, 0, 1_000_000);
  misses.push(...auditLedger(journal).map((sum) => `the ledger does not add up: ${sum}`));
  await journal.close();

  const dead = readLetters(letters, scenario, misses);
  const sinks: SinkVerdict[] = [];
  for (const sink of ["pramathus", "tally"] as const)
    sinks.push(judgePoints(sink, points, dead(sink), world, scenario));
  const latest = latestOf(points);
  for (const sink of ["pushgateway", "prometheus"] as const) {
    const page = world.pages[sink];
    const lost = wrongSeries(latest, page.values()).length;
    const outOfOrder = scenario.mayGoBack ? 0 : page.wentBack();
    sinks.push({ sink, lost, doubled: 0, mayDouble: 0, outOfOrder, strange: 0, dead: dead(sink).size });
  }
  for (const { sink, lost, doubled, mayDouble, outOfOrder, strange } of sinks) {
    if (lost > 0) misses.push(`${sink}: ${lost} lost`);
    if (doubled > mayDouble) misses.push(`${sink}: ${doubled} doubled, where at most ${mayDouble} may be`);
    if (outOfOrder > 0) misses.push(`${sink}: ${outOfOrder} out of order`);
    if (strange > 0) misses.push(`${sink}: ${strange} arrived that MLflow does not hold, or that are dead letters`);
  }
  return { points: points.length, sinks, misses };
}

/** Returns the ids of the samples of each sink that are dead letters as they may be; what else there is goes to `misses`. */
function readLetters(
  letters: readonly DeadLetter[],
  { deadLetters: expected }: Scenario,
  misses: string[],
): (sink: JudgedSink) => ReadonlySet<string> {
  const dead = new Map<string, Set<string>>(expected?.of.map((sink) => [sink, new Set()]));
  for (const { sink, reason, batch } of letters) {
    const ids = expected?.say.test(reason) ? dead.get(sink) : undefined;
    if (!ids) misses.push(`${sink}: a dead letter says "${reason}"`);
    for (const { name: key, value, time, step, run } of batch.samples) {
      ids?.add(idOf({ run: run?.id ?? "", key, value: String(value), time, step }));
    }
  }
  for (const [sink, ids] of dead) if (ids.size === 0) misses.push(`${sink}: no dead letter says what was refused`);
  return (sink) => dead.get(sink) ?? new Set();
}

function judgePoints(
  sink: PointsSink,
  points: readonly Point[],
  dead: ReadonlySet<string>,
  { arrivals, mlmon }: World,
  { mayDouble }: Scenario,
): SinkVerdict {
  const { repeatedAtOnce, ...compared } = compare(points, arrivals[sink].points(), dead);
  // Each end by force may repeat the slice it has struck, and no more of it than that one.
  const allowed = repeatedAtOnce > slices[sink] ? 0 : mlmon.kills * slices[sink] + arrivals[sink].untold();
  const most = mayDouble === "all" ? Number.POSITIVE_INFINITY : allowed;
  return { sink, ...compared, mayDouble: most, dead: dead.size };
}
