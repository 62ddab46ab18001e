import { isLater } from "../model/latest-rule.ts";
import type { Sample } from "../model/sample.ts";
import { labelsText, ownLabels, targetLabels } from "../prometheus/series.ts";
import { factSamples } from "./fact-samples.ts";
import type { LiveRuns } from "./live-runs.ts";
import type { Refused } from "./refused.ts";

/** Gauges without a run, by source, name and labels. */
export interface Facts {
  /** Takes these in the place of all earlier ones of each name that is among them. */
  replace(facts: readonly Sample[], source: string): void;
  /** Takes measured values that belong to no run: the latest of each series stays. */
  merge(samples: readonly Sample[], source: string): void;
  /** Removes the facts of these sources. */
  forget(isGone: (source: string) => boolean): void;
  /** Takes the measured values of a rebuilt view in the place of those of its sources; what `replace` gave stays. */
  adopt(rebuilt: Facts, sources: readonly string[]): void;
  /** The facts of one name from a source, and whether `replace` has given some of that name. */
  family(source: string, name: string): { readonly facts: readonly Sample[]; readonly isTold: boolean };
  /** Puts back what a snapshot holds. */
  restore(entries: ReturnType<Facts["entries"]>, version: number): void;
  /** With their series, each only once. */
  samples(): readonly Sample[];
  /** One fact of a source, added up over its labels. */
  sum(source: string, name: string): number | undefined;
  /** The view's version at the last change. */
  readonly version: number;
  /** As they were given, for the snapshot. */
  entries(): readonly (readonly [source: string, facts: readonly Sample[]])[];
}

/** The facts of one name from one source, by their labels as text. */
export type Family = Map<string, Sample>;

/** Makes the facts of a view. */
export function createFacts(live: LiveRuns, refused: Refused): Facts {
  const sources = new Map<string, Map<string, Family>>();
  const told = new WeakSet<Family>();
  let version = 0;
  let made: readonly Sample[] | undefined;

  function replace(facts: readonly Sample[], source: string): void {
    for (const [name, given] of Map.groupBy(facts, (fact) => fact.name)) {
      told.add(familyOf(source, name));
      replaceFamily(source, name, given.every(saysNone) ? [] : given);
    }
  }

  function replaceFamily(source: string, name: string, wanted: readonly Sample[]): void {
    const family = familyOf(source, name);
    const before = [...family.values()];
    live.release(family.size);
    family.clear();
    for (const fact of wanted) set(family, fact);
    if (!isSame(family, before)) touch();
    dropEmpty(source, name);
  }

  function adopt(rebuilt: Facts, adopted: readonly string[]): void {
    for (const source of adopted) {
      const theirs = rebuilt.entries().find(([other]) => other === source)?.[1] ?? [];
      const names = new Set([...(sources.get(source)?.keys() ?? []), ...theirs.map(({ name }) => name)]);
      for (const name of names) {
        const { facts, isTold } = rebuilt.family(source, name);
        if (!isTold) replaceFamily(source, name, facts);
      }
    }
  }

  function merge(samples: readonly Sample[], source: string): void {
    for (const sample of samples) {
      const family = familyOf(source, sample.name);
      const before = family.get(labelsKey(sample));
      if (before && !isLater(sample, before)) continue;
      if (set(family, sample)) touch();
      dropEmpty(source, sample.name);
    }
  }

  function restore(entries: ReturnType<Facts["entries"]>, restored: number): void {
    for (const [source, facts] of entries) {
      for (const fact of facts) set(familyOf(source, fact.name), fact);
    }
    version = restored;
    made = undefined;
  }

  function forget(isGone: (source: string) => boolean): void {
    for (const [source, names] of sources) {
      if (!isGone(source)) continue;
      for (const family of names.values()) live.release(family.size);
      sources.delete(source);
      touch();
    }
  }

  /** Returns false when there is no room. */
  function set(family: Family, fact: Sample): boolean {
    const key = labelsKey(fact);
    const hasRoom = family.has(key) || live.reserve(1, Number.POSITIVE_INFINITY);
    if (hasRoom) family.set(key, fact);
    else refused.add(fact.name);
    return hasRoom;
  }

  /** What was refused, or is no more, leaves no name behind. */
  function dropEmpty(source: string, name: string): void {
    const names = sources.get(source);
    if (names?.get(name)?.size === 0) names.delete(name);
  }

  function familyOf(source: string, name: string): Family {
    const names = sources.get(source) ?? new Map<string, Family>();
    const family = names.get(name) ?? new Map<string, Sample>();
    sources.set(source, names.set(name, family));
    return family;
  }

  function touch(): void {
    live.version += 1;
    version = live.version;
    made = undefined;
  }

  return {
    replace,
    merge,
    forget,
    adopt,
    restore,
    family(source, name) {
      const family = sources.get(source)?.get(name);
      return { facts: [...(family?.values() ?? [])], isTold: family !== undefined && told.has(family) };
    },
    samples() {
      made ??= factSamples(sources);
      return made;
    },
    sum(source, name) {
      const family = sources.get(source)?.get(name);
      return family?.values().reduce((total, { value }) => total + value, 0);
    },
    get version() {
      return version;
    },
    entries: () => [...sources].map(([source, names]) => [source, [...names.values()].flatMap((f) => [...f.values()])]),
  };
}

/** An empty list has no name to be told by. */
function saysNone({ value, labels = {} }: Sample): boolean {
  return Number.isNaN(value) && Object.keys(labels).length === 0;
}

function isSame(before: Family, after: readonly Sample[]): boolean {
  return (
    before.size === after.length && after.every((fact) => Object.is(before.get(labelsKey(fact))?.value, fact.value))
  );
}

/** Labels that Prometheus takes for the same give one fact. */
function labelsKey({ labels }: Sample): string {
  return labelsText(ownLabels(labels, targetLabels));
}
