import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SoakedMlmon } from "./mlmon.ts";

/** What is measured at one moment, each under its name: `"resident"`, `"journal"`, `"page"`, `"view: runs"`. */
export interface Measure {
  /** Unix ms. */
  readonly time: number;
  /** Runs that had passed. */
  readonly passed: number;
  readonly figures: ReadonlyMap<string, number>;
}

/** Looks at mlmon again and again, as a Prometheus does. */
export interface Monitor {
  readonly measures: readonly Measure[];
  latest(): Measure | undefined;
  /** A counter or gauge of mlmon's own at the last look, over all its labels. */
  own(name: string): number;
  /** Resolves when a poll that began after the call has ended well. */
  read(): Promise<void>;
  stop(): Promise<void>;
}

/** Scrapes `/metrics` and measures from outside, every `everyMs`. */
export function startMonitor(mlmon: SoakedMlmon, passed: () => number, everyMs: number): Monitor {
  const measures: Measure[] = [];
  let samples: readonly OwnSample[] = [];
  let polls = 0;
  let lastPoll = 0;
  let stopped = false;

  function own(name: string): number {
    return samples.reduce((sum, sample) => sum + (sample.name === name ? sample.value : 0), 0);
  }

  async function look(): Promise<void> {
    const page = await (await fetch(`${mlmon.url}/metrics`)).text();
    samples = ownSamples(page);
    const poll = own("mlmon_source_last_success_timestamp_seconds");
    if (poll > lastPoll) polls += 1;
    lastPoll = poll;
    const figures = new Map([
      ["resident", residentBytes(mlmon.pid)],
      ["journal", folderBytes(mlmon.stateDir)],
      ["journal in use", usedBytes(join(mlmon.stateDir, "journal.db"))],
      ["page", seriesBytes(page)],
      ["series", own("mlmon_series")],
    ]);
    for (const { name, labels, value } of samples) {
      if (name === "mlmon_entries") figures.set(`${labels.part}: ${labels.of}`, value);
    }
    measures.push({ time: Date.now(), passed: passed(), figures });
  }

  async function watch(): Promise<void> {
    while (!stopped) {
      // mlmon may be too busy to answer at once.
      await look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
  const watching = watch();

  return {
    measures,
    latest: () => measures.at(-1),
    own,
    async read() {
      // The first that is seen may have ended before the call, and the second may have begun before it.
      const wanted = polls + 3;
      while (polls < wanted && !stopped) {
        if (!mlmon.runs()) throw new Error("mlmon has ended");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async stop() {
      stopped = true;
      await watching;
    },
  };
}

interface OwnSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function ownSamples(page: string): readonly OwnSample[] {
  return [...page.matchAll(/^(mlmon_\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = "", labels = "", value]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text])),
    value: Number(value),
  }));
}

/** The size of what is shown of MLflow; the digits of mlmon's own counters grow. */
function seriesBytes(page: string): number {
  return page.indexOf("# HELP mlmon_") < 0 ? page.length : page.indexOf("# HELP mlmon_");
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

/** What of the journal is not free to be used again. */
function usedBytes(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const pragma = (name: string) => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  } finally {
    db.close();
  }
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}
