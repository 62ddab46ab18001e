import { setTimeout as sleep } from "node:timers/promises";
import type { Point } from "../e2e/judge.ts";
import { keys } from "./trainings.ts";

/** What is seen of a page of latest values, in the course of a scenario. */
export interface PageWatch {
  /** Takes one state of the page, the newest so far. */
  see(text: string): void;
  /** The last values, by `key run`. */
  values(): ReadonlyMap<string, number>;
  /** How often a value went back to one before it: the values of a training only grow. */
  wentBack(): number;
}

export function watchPage(): PageWatch {
  let values: ReadonlyMap<string, number> = new Map();
  const highest = new Map<string, number>();
  let back = 0;
  return {
    see(text) {
      values = read(text);
      for (const [series, value] of values) {
        const before = highest.get(series) ?? Number.NEGATIVE_INFINITY;
        if (value < before) back += 1;
        else highest.set(series, value);
      }
    },
    values: () => values,
    wentBack: () => back,
  };
}

/** Scrapes a page again and again, as Prometheus does; a page that does not answer is no news. */
export function scrape(url: string, watch: PageWatch): { stop(): Promise<void> } {
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      const text = answer?.ok ? await answer.text().catch(() => undefined) : undefined;
      if (text !== undefined) watch.see(text);
      await sleep(250);
    }
  })();
  return {
    stop() {
      stopped = true;
      return done;
    },
  };
}

/** The last point of every series, as a page has to show it. */
export function latestOf(points: readonly Point[]): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { run, key, value } of points) {
    const series = `${key} ${run.slice(0, 8)}`;
    latest.set(series, Math.max(latest.get(series) ?? Number.NEGATIVE_INFINITY, Number(value)));
  }
  return latest;
}

/** The series that a page shows otherwise than it has to, or not at all. */
export function wrongSeries(wanted: ReadonlyMap<string, number>, shown: ReadonlyMap<string, number>): string[] {
  return [...wanted].filter(([series, value]) => shown.get(series) !== value).map(([series]) => series);
}

function read(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, key = "", labels = "", value = ""] = /^mlflow_(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    const run = /run_id="([^"]*)"/.exec(labels)?.[1];
    if (run !== undefined && keys.some((known) => known === key)) values.set(`${key} ${run}`, Number(value));
  }
  return values;
}
