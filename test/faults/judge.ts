import { auditLedger } from "../../src/journal/audit.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Point } from "../e2e/judge.ts";
import { idOf } from "./arrivals.ts";
import { compare } from "./compare.ts";
import { slices } from "./config-text.ts";
import { latestOf, wrongSeries } from "./pages.ts";
import type { Scenario } from "./scenario.ts";
import type { PointsSink, World } from "./world.ts";

/** What one sink has made of a scenario. */
export interface SinkVerdict {
  readonly sink: string;
  /** Points that MLflow has, and neither the receiver nor an accounted dead letter; for pages, series that are wrong. */
  readonly lost: number;
  readonly doubled: number;
  readonly mayDouble: number;
  readonly outOfOrder: number;
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
  const misses: string[] = [];
  const journal = await openJournal({ path: `${world.state}/journal.db`, maxBytes: 1e12 });
  const letters = journal.dead.page({}, 0, 1_000_000);
  misses.push(...auditLedger(journal).map((sum) => `the ledger does not add up: ${sum}`));
  await journal.close();

  const sinks: SinkVerdict[] = [];
  for (const sink of ["pramathus", "tally"] as const) {
    const dead = new Set<string>();
    for (const { sink: of, reason, batch } of letters) {
      if (of !== sink) continue;
      if (!scenario.deadLetters?.test(reason)) misses.push(`${sink}: a dead letter says "${reason}"`);
      else
        for (const { name: key, value, time, step, run } of batch.samples) {
          dead.add(idOf({ run: run?.id ?? "", key, value: String(value), time, step }));
        }
    }
    sinks.push(judgePoints(sink, points, dead, world, scenario));
  }
  const latest = latestOf(points);
  for (const sink of ["pushgateway", "prometheus"] as const) {
    const page = world.pages[sink];
    const lost = wrongSeries(latest, page.values()).length;
    sinks.push({ sink, lost, doubled: 0, mayDouble: 0, outOfOrder: scenario.mayGoBack ? 0 : page.wentBack(), dead: 0 });
  }
  for (const { sink, lost, doubled, mayDouble, outOfOrder } of sinks) {
    if (lost > 0) misses.push(`${sink}: ${lost} lost`);
    if (doubled > mayDouble) misses.push(`${sink}: ${doubled} doubled, where at most ${mayDouble} may be`);
    if (outOfOrder > 0) misses.push(`${sink}: ${outOfOrder} out of order`);
  }
  return { points: points.length, sinks, misses };
}

function judgePoints(
  sink: PointsSink,
  points: readonly Point[],
  dead: ReadonlySet<string>,
  { arrivals, mlmon }: World,
  { mayDouble }: Scenario,
): SinkVerdict {
  const compared = compare(points, arrivals[sink].points(), dead);
  const allowed = mlmon.kills * slices[sink] + arrivals[sink].untold();
  const most = mayDouble === "all" ? Number.POSITIVE_INFINITY : allowed;
  return { sink, ...compared, mayDouble: most, dead: dead.size };
}
