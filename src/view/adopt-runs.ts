import type { LiveRun, LiveSeries } from "./live-run.ts";
import type { LiveRuns } from "./live-runs.ts";
import type { Refused } from "./refused.ts";

/** The runs of a view that was built anew, and the sources of which it holds everything. */
export interface Rebuilt {
  readonly runs: ReadonlyMap<string, LiveRun>;
  readonly sources: readonly string[];
}

/**
 * Takes the series of rebuilt runs in the place of all that these sources have given; what is known of a run itself, its
 * short id among it, stays. Returns how many series are new, gone or have another value.
 */
export function adoptRuns(live: LiveRuns, { runs, sources }: Rebuilt, refused: Refused, now: number): number {
  const before = new Map<string, ReadonlyMap<string, LiveSeries>>();
  let changed = 0;
  // All room is given back first, so that nothing is refused for the sake of what goes.
  for (const known of [...live.runs.values()].filter(({ source = "" }) => sources.includes(source))) {
    const { id } = known.run;
    if (!runs.has(id)) {
      changed += known.series.size;
      live.remove(id);
      continue;
    }
    before.set(id, new Map(known.series));
    live.release(known.series.size);
    known.series.clear();
  }
  for (const [id, rebuilt] of runs) {
    const known = before.has(id) ? live.runs.get(id) : enter(rebuilt);
    if (!known) continue;
    const isNewest = known.lastMetricTime === rebuilt.lastMetricTime;
    known.lastMetricTime = rebuilt.lastMetricTime;
    fill(known, rebuilt);
    const differing = countDifferences(before.get(id) ?? new Map(), known.series);
    changed += differing;
    if (differing > 0 || !isNewest) live.touch(known);
  }
  return changed;

  function enter({ run, source, endedAt }: LiveRun): LiveRun | undefined {
    const entered = live.admit(run, now, source);
    if (entered === "refused") refused.add("run_info");
    if (entered === "refused" || entered === "expired") return undefined;
    if (endedAt !== undefined) live.end(entered, endedAt);
    return entered;
  }

  function fill(known: LiveRun, { series }: LiveRun): void {
    for (const [local, entry] of series) {
      if (live.reserve(1, known.endedAt ?? Number.POSITIVE_INFINITY)) known.series.set(local, entry);
      else refused.add(entry.metric.key);
    }
  }
}

function countDifferences(before: ReadonlyMap<string, LiveSeries>, after: ReadonlyMap<string, LiveSeries>): number {
  const gone = [...before.keys()].filter((local) => !after.has(local)).length;
  const differing = [...after].filter(([local, { value }]) => !Object.is(before.get(local)?.value, value));
  return gone + differing.length;
}
