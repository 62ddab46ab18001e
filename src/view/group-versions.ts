import type { Run } from "../model/run.ts";
import type { LiveRuns } from "./live-runs.ts";

type GroupBy = (run: Run) => string;

/** Numbers the states of every group of one `groupBy`; a group that all runs have left has none any more. */
export interface GroupVersions {
  read(): ReadonlyMap<string, number>;
}

/** Membership is compared at each reading: no other part has to know which groupings there are. */
export function createGroupVersions(live: LiveRuns, groupBy: GroupBy, factsVersion: () => number): GroupVersions {
  const members = new Map<string, { run: Run; group: string }>();
  const versions = new Map<string, number>();

  function grow(group: string, version: number): void {
    versions.set(group, Math.max(versions.get(group) ?? 0, version));
  }

  function place(id: string, run: Run): string {
    const member = members.get(id);
    if (member?.run === run) return member.group;
    const group = groupBy(run);
    if (member && member.group !== group) {
      grow(member.group, live.version);
      grow(group, live.version);
    }
    members.set(id, { run, group });
    return group;
  }

  function read(): ReadonlyMap<string, number> {
    const filled = new Set<string>();
    for (const [id, { run, version }] of live.runs) {
      const group = place(id, run);
      filled.add(group);
      grow(group, version);
    }
    for (const [id, { group }] of members) {
      if (live.runs.has(id)) continue;
      members.delete(id);
      grow(group, live.version);
    }
    if (factsVersion() > 0) {
      filled.add("");
      grow("", factsVersion());
    }
    // Groups may be as many as runs: whoever still holds an empty one finds that it has no number.
    for (const group of versions.keys()) if (!filled.has(group)) versions.delete(group);
    return versions;
  }

  return { read };
}
