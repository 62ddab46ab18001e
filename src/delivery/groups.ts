import type { Journal } from "../journal/journal.ts";
import { sinkOwner } from "../journal/sink-owner.ts";
import type { Batch } from "../model/batch.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import type { Run } from "../model/run.ts";
import type { Sample } from "../model/sample.ts";
import type { View } from "../view/view.ts";
import type { ActiveSink } from "./active-sink.ts";

/** The groups of one sink of latest values: which have changed, and which the receiver holds. */
export interface Groups {
  /**
   * Those that have changed since they were delivered or skipped, or that are to be sent again by `refreshMs`: what has
   * emptied first, then group `""`, for a Pushgateway refuses a series that another group still holds.
   */
  changed(): readonly string[];
  /** How long until the next one is to be sent again, ms; `refreshMs` while the receiver holds none. */
  restMs(): number;
  /** Grows at each change of a group. */
  version(name: string): number;
  latest(name: string, time: number): Batch;
  /** The group of a sample. */
  of(sample: Sample): string;
  /** Whether the receiver holds it. */
  has(name: string): boolean;
  skip(name: string, version: number): void;
  /** Makes a group be delivered again though it has not changed. */
  touch(name: string): void;
  /** Notes what the receiver holds of a group; true when that is news, to be committed with the sink's state. */
  delivered(name: string, version: number, filled: boolean): boolean;
}

/**
 * Tracks the groups of one sink. Those that the receiver holds are kept in the sink's state, so that one that has
 * emptied while mlmon was down is deleted there, too.
 */
export function trackGroups(
  sink: ActiveSink,
  view: View,
  journal: Journal,
  log: Log,
  steady: () => number = () => performance.now(),
): Groups {
  const { refreshMs = Number.POSITIVE_INFINITY } = sink.traits;
  const state = journal.state(sinkOwner(sink.id));
  const held = new Set([...state.scan("group/")].map(([key]) => key.slice("group/".length)));
  const known = new Map<string, Known>();
  const groupBy = guarded(sink, log);
  let versions: ReadonlyMap<string, number> = new Map();
  let readAt: number | undefined;

  // Reading compares every run, so it is done once for each change of the view.
  function current(): ReadonlyMap<string, number> {
    if (readAt !== view.version) versions = new Map(view.versions(groupBy));
    readAt = view.version;
    return versions;
  }

  return {
    changed() {
      const names = [...held.difference(current()), ...inOrder(current())];
      // Groups may be as many as runs: one that is empty here and there is forgotten.
      for (const name of known.keys()) if (!held.has(name) && !current().has(name)) known.delete(name);
      sink.groups = known.size;
      return names.filter((name) => {
        const { version, at = 0 } = known.get(name) ?? {};
        return version !== (current().get(name) ?? 0) || (held.has(name) && steady() - at >= refreshMs);
      });
    },
    restMs() {
      const now = steady();
      const oldest = held.values().reduce((first, name) => Math.min(first, known.get(name)?.at ?? first), now);
      return Math.max(0, oldest + refreshMs - now);
    },
    version: (name) => current().get(name) ?? 0,
    // Without groupBy all runs are in group "": what the receiver holds of earlier groups empties.
    latest: (name, time) => view.latest(time, { name, groupBy: groupBy ?? (() => "") }),
    of: ({ run }) => (run && groupBy ? groupBy(run) : ""),
    has: (name) => held.has(name),
    skip: (name, version) => void known.set(name, { version, at: steady() }),
    touch: (name) => void known.delete(name),
    delivered(name, version, filled) {
      known.set(name, { version, at: steady() });
      if (filled === held.has(name)) return false;
      if (filled) {
        held.add(name);
        state.set(`group/${name}`, "");
      } else {
        held.delete(name);
        state.delete(`group/${name}`);
      }
      return true;
    },
  };
}

/** After a change of `groupBy` group `""` gives up what the others get. */
function inOrder(versions: ReadonlyMap<string, number>): readonly string[] {
  const names = [...versions.keys()];
  return versions.has("") ? ["", ...names.filter((name) => name !== "")] : names;
}

/** The state of a group that the receiver was sent, and when, by a clock that nobody sets. */
interface Known {
  readonly version: number;
  readonly at: number;
}

/** A run for which `groupBy` throws stands in group `""`. */
function guarded({ id, traits }: ActiveSink, log: Log): ((run: Run) => string) | undefined {
  const { groupBy } = traits;
  if (!groupBy) return undefined;
  let said = false;
  return function groupOf(run) {
    try {
      return String(groupBy(run));
    } catch (error) {
      if (!said) log.error("Sink has a bug: groupBy threw", { sink: id, run: run.id, reason: messageOf(error) });
      said = true;
      return "";
    }
  };
}
