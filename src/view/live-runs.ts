import type { Run } from "../model/run.ts";
import { shortId } from "../prometheus/series.ts";
import { endedAt, hasEnded } from "./ended-at.ts";
import { createEndedQueue } from "./ended-queue.ts";
import { createLiveRun, describeAnew, type LiveRun } from "./live-run.ts";
import type { Refused } from "./refused.ts";
import { seriesPerRun } from "./run-series.ts";

/** Every run that has series, within the cap. */
export interface LiveRuns {
  readonly runs: ReadonlyMap<string, LiveRun>;
  /** Grows at every change of any series. */
  version: number;
  /** Takes a run as it is described now; nothing when it has ended too long ago, or when there is no room for it. */
  admit(run: Run, readAt: number, source: string | undefined): Admission;
  /** Puts back a run of a snapshot, with the label and the version it had; false when there is no room for it. */
  restore(live: LiveRun): boolean;
  /** Makes room for series, for a run that ended at `rank` by evicting runs that ended before; false when full. */
  reserve(count: number, rank: number): boolean;
  release(count: number): void;
  /** Notes a change of something the run shows. */
  touch(live: LiveRun): void;
  /** Starts the retention of a run whose status does not say that it has ended. */
  end(live: LiveRun, readAt: number): void;
  remove(id: string): void;
  expire(now: number): void;
}

/** What becomes of a run: it lives, had ended too long ago, or the cap refuses it. */
export type Admission = LiveRun | "expired" | "refused";

/** Makes the live runs of a view. */
export function createLiveRuns(options: {
  readonly max: number;
  readonly retentionMs: number;
  readonly refused: Refused;
}): LiveRuns {
  const { max, retentionMs, refused } = options;
  const runs = new Map<string, LiveRun>();
  const labels = new Set<string>();
  const ended = createEndedQueue();
  let reserved = 0;

  const live: LiveRuns = {
    runs,
    version: 0,
    admit,
    restore,
    reserve,
    release: (count) => {
      reserved -= count;
    },
    touch,
    end: (run, readAt) => setEnd(run, run.endedAt ?? endedAt(run.run, readAt)),
    remove(id) {
      const found = runs.get(id);
      if (found) drop(found);
    },
    expire(now) {
      for (let first = ended.first(); first && isExpired(first.endedAt, now); first = ended.first()) drop(first);
    },
  };
  return live;

  function admit(run: Run, readAt: number, source: string | undefined): Admission {
    const known = runs.get(run.id);
    if (known?.run === run) return known;
    const end = hasEnded(run) ? endOf(run, known, readAt) : undefined;
    if (isExpired(end, readAt)) {
      if (known) drop(known);
      return "expired";
    }
    if (known) {
      if (describeAnew(known, run)) touch(known);
      setEnd(known, end);
      return known;
    }
    if (!reserve(seriesPerRun, end ?? Number.POSITIVE_INFINITY)) return "refused";
    const entering = createLiveRun(run, freeLabel(run), source);
    enter(entering, end);
    touch(entering);
    return entering;
  }

  function restore(restored: LiveRun): boolean {
    const { endedAt: end } = restored;
    if (!reserve(seriesPerRun, end ?? Number.POSITIVE_INFINITY)) return false;
    restored.endedAt = undefined;
    enter(restored, end);
    return true;
  }

  function enter(entering: LiveRun, end: number | undefined): void {
    runs.set(entering.run.id, entering);
    labels.add(entering.label);
    setEnd(entering, end);
  }

  function drop(leaving: LiveRun): void {
    ended.remove(leaving);
    runs.delete(leaving.run.id);
    labels.delete(leaving.label);
    reserved -= seriesPerRun + leaving.series.size;
    live.version += 1;
  }

  function reserve(count: number, rank: number): boolean {
    while (reserved + count > max) {
      const first = ended.first();
      if (first?.endedAt === undefined || first.endedAt >= rank) return false;
      for (const { metric } of first.series.values()) refused.add(metric.key);
      refused.add("run_info");
      drop(first);
    }
    reserved += count;
    return true;
  }

  function touch(changed: LiveRun): void {
    live.version += 1;
    changed.version = live.version;
  }

  function setEnd(run: LiveRun, end: number | undefined): void {
    if (run.endedAt === end) return;
    if (run.endedAt !== undefined) ended.remove(run);
    run.endedAt = end;
    if (end !== undefined) ended.add(run);
  }

  function isExpired(end: number | undefined, now: number): boolean {
    return end !== undefined && end + retentionMs <= now;
  }

  /** The short id belongs to the run that came first, for as long as that run has series. */
  function freeLabel(run: Run): string {
    let label = labels.has(shortId(run)) ? run.id : shortId(run);
    while (labels.has(label)) label += "_";
    return label;
  }
}

/** An end that had to be guessed stays what it was first guessed to be. */
function endOf(run: Run, known: LiveRun | undefined, readAt: number): number {
  const end = endedAt(run, readAt);
  return end === readAt && known?.endedAt !== undefined && known.endedAt < end ? known.endedAt : end;
}
