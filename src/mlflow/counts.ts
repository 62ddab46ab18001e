import type { Experiment, RunStatus } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import type { State } from "../model/state.ts";
import type { RunState } from "./run-state.ts";

/** Runs by experiment and status, counted from what was seen so that an idle poll costs nothing more. */
export interface Counts {
  /** Counts a run anew around a change of what is remembered of it. */
  around(run: RunState, isNew: boolean, change: () => void): void;
  /** Stores the counts; called with each batch. */
  save(): void;
  /** Drops what stands at 0 for experiments other than these, which have gone or go by another name. */
  keep(experiments: Iterable<Experiment>): void;
  /** The gauges, in a fixed order; one that was counted once stays while its experiment does, if only as 0. */
  facts(now: number): readonly Sample[];
}

/** Loads the counts from the state, or starts at none. */
export function loadCounts(state: State): Counts {
  const stored = state.get("counts");
  const counts = new Map<string, number>(typeof stored === "string" ? JSON.parse(stored) : []);
  let changed = false;
  const add = (run: RunState, by: number) => {
    if (run.deleted) return;
    const name = JSON.stringify([run.run.experiment.name, run.run.status]);
    counts.set(name, (counts.get(name) ?? 0) + by);
    changed = true;
  };
  return {
    around(run, isNew, change) {
      if (!isNew) add(run, -1);
      change();
      add(run, 1);
    },
    save() {
      if (changed) state.set("counts", JSON.stringify([...counts]));
      changed = false;
    },
    keep(experiments) {
      const names = new Set([...experiments].map(({ name }) => name));
      for (const [key, value] of counts) {
        // An empty list could not replace the last one.
        if (counts.size === 1) return;
        const [experiment]: [string] = JSON.parse(key);
        if (value !== 0 || names.has(experiment)) continue;
        counts.delete(key);
        changed = true;
      }
    },
    facts: (now) =>
      [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => {
          const [experiment, status]: [string, RunStatus] = JSON.parse(name);
          return { name: "runs", value, time: now, step: 0, labels: { experiment_name: experiment, status } };
        }),
  };
}
