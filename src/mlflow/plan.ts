import { type Point, samePoint } from "./points.ts";
import { type RunState, unseen } from "./run-state.ts";
import { byStart, factsOf, isTerminal, type SeenRun } from "./seen-run.ts";

/** What a poll has to do for one run. */
export interface Plan {
  readonly seen: SeenRun;
  readonly facts: string;
  /** What is remembered; made here for a new run, and changed only together with a batch. */
  readonly state: RunState;
  readonly isNew: boolean;
  /** A label or an info has changed. */
  readonly changed: boolean;
  /** It was deleted or had ended, and is back. */
  readonly restored: boolean;
  readonly ends: "no" | "ended" | "deleted";
  /** Series to read, keys sorted. */
  readonly wanted: readonly (readonly [key: string, latest: Point])[];
}

/** What decides which series of a run are read. */
export interface PlanRules {
  readonly include: "history" | "latest";
  /** Keys to read to their end all the same, to find points that do not show in the latest values. */
  readonly deep?: ReadonlySet<string> | "all" | undefined;
  /** Whether a series could not be read and is not to be tried yet. */
  readonly isWaiting?: (key: string) => boolean;
  /** The run has ended and is looked at only for series that could not be read. */
  readonly isRetried?: boolean;
}

/** Compares a run with what is remembered of it; nothing when there is nothing to do. */
export function planRun(seen: SeenRun, known: RunState | undefined, rules: PlanRules): Plan | undefined {
  const { include, deep, isWaiting = () => false, isRetried = false } = rules;
  if (seen.deleted && (!known || known.deleted)) return undefined;
  const terminal = isTerminal(seen.run.status);
  const facts = factsOf(seen.run);
  const state = known ?? { run: seen.run, facts, ended: false, deleted: false, series: new Map() };
  const ends = seen.deleted ? "deleted" : terminal && !state.ended ? "ended" : "no";
  const restored = !seen.deleted && known !== undefined && (known.deleted || (known.ended && !terminal));
  const changed = !known || known.facts !== facts || restored;
  // What ends is read to the last point, also where the latest value does not tell of it.
  const all = deep === "all" || (ends === "ended" && known !== undefined);
  const wanted = seen.latest.filter(([key, latest]) => {
    if (isWaiting(key)) return false;
    const at = state.series.get(key) ?? unseen;
    if (!samePoint(at.latest, latest)) return true;
    return include === "history" && (all || at.verified === 0 || (deep instanceof Set && deep.has(key)));
  });
  if (!changed && ends === "no" && wanted.length === 0 && !isRetried) return undefined;
  return { seen, facts, state, isNew: !known, changed, restored, ends, wanted };
}

/** Sorts plans into the one order of runs. */
export function inOrder(plans: Iterable<Plan>): Plan[] {
  return [...plans].sort((a, b) => byStart(a.seen.run, b.seen.run));
}
