import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createCrowd } from "./crowd.ts";
import { judge, type Verdict } from "./judge.ts";
import { startSoaked } from "./mlmon.ts";
import { type Measure, type Monitor, startMonitor } from "./monitor.ts";
import { startNullReceivers } from "./receivers.ts";
import type { World } from "./world.ts";

export interface SoakOptions {
  readonly program: string;
  readonly world: World;
  readonly runs: number;
  /** Begun per second. */
  readonly perSecond: number;
  /** No more runs are begun so many ms after the first ebb; by default only when `runs` have passed. */
  readonly limitMs?: number;
  readonly random: () => number;
  readonly lifeMs?: readonly [least: number, most: number];
  readonly retentionMs?: number;
  /** Runs that pass before the first ebb: the runtime has grown to its working size then. A tenth by default. */
  readonly warmUp?: number;
  /** How often the rest changes to a new experiment; 20 times by default. */
  readonly parts?: number;
  /** How long nothing must have changed at an ebb; 70 s by default, as mlmon frees the journal's last batches once a minute. */
  readonly calmMs?: number;
  /** Keeps something of every run on purpose. */
  readonly leak?: boolean;
  readonly onMeasure?: (measure: Measure) => void;
}

export interface Soaked {
  /** At the first ebb, and at the last. */
  readonly first: Measure;
  readonly last: Measure;
  readonly measures: readonly Measure[];
  readonly verdicts: readonly Verdict[];
  readonly passed: number;
  /** Points logged, and those that the Pramathus receiver was sent. */
  readonly written: number;
  readonly delivered: number;
  /** Lines of the log from WARN on. */
  readonly warnings: readonly string[];
}

/**
 * Lets runs pass through mlmon: some, then an ebb in which nothing is left, then all others, then an ebb again. What is
 * measured at the two ebbs must be the same, within what `judge` allows.
 */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { world, runs, perSecond, random, onMeasure } = options;
  const { retentionMs = 10_000, lifeMs = [1000, 4000], warmUp = runs / 10, parts = 20, calmMs = 70_000 } = options;
  const prefix = `soak ${Date.now().toString(36)}`;
  const receivers = await startNullReceivers();
  const mlmon = await startSoaked({
    program: options.program,
    mlflow: world.url,
    receivers: receivers.url,
    interval: "500ms",
    retention: `${retentionMs}ms`,
    experiments: `${prefix} *`,
    leak: options.leak ?? false,
  });
  const monitor = startMonitor(mlmon, () => crowd.passed(), 1000);
  const crowd = createCrowd({ world, prefix, random, read: monitor.read, lifeMs });
  const ticker = setInterval(() => {
    const latest = monitor.latest();
    if (latest) onMeasure?.(latest);
  }, 15_000);
  try {
    await monitor.read();
    await crowd.pass(Math.ceil(warmUp), perSecond);
    await crowd.gone();
    const first = await ebb(monitor, { retentionMs, calmMs });
    onMeasure?.(first);
    const begun = Date.now();
    const share = Math.ceil((runs - warmUp) / parts);
    for (let part = 0; part < parts && Date.now() - begun < (options.limitMs ?? Number.POSITIVE_INFINITY); part++) {
      await crowd.pass(share, perSecond);
    }
    await crowd.gone();
    const last = await ebb(monitor, { retentionMs, calmMs });
    onMeasure?.(last);
    return {
      first,
      last,
      measures: monitor.measures,
      verdicts: judge(first, last, monitor.measures),
      passed: crowd.passed(),
      written: crowd.written(),
      delivered: receivers.samples(),
      warnings: readFileSync(mlmon.logFile, "utf8")
        .split("\n")
        // It starts before the first experiment is made, which it rightly says.
        .filter((line) => / (WARN|ERROR) /.test(line) && !line.includes("MLflow shows no experiment to read")),
    };
  } finally {
    clearInterval(ticker);
    await monitor.stop();
    await mlmon.stop();
    await receivers.stop();
  }
}

/**
 * Waits until everything has been delivered, has expired and is forgotten, at most 5 minutes, and gives what is measured
 * then; of the resident memory the least of the last measures, as a garbage collector is in no hurry.
 */
async function ebb(
  monitor: Monitor,
  { retentionMs, calmMs }: { readonly retentionMs: number; readonly calmMs: number },
): Promise<Measure> {
  const begun = Date.now();
  let since = begun;
  let before = "";
  while (Date.now() - Math.max(since, begun + retentionMs) < calmMs && Date.now() - begun < 300_000) {
    await sleep(1000);
    const figures = monitor.latest()?.figures ?? new Map<string, number>();
    const counted = JSON.stringify([...figures].filter(([name]) => name !== "resident" && !name.startsWith("journal")));
    if (counted !== before) since = Date.now();
    before = counted;
  }
  const lately = monitor.measures.slice(-10);
  const last = lately.at(-1);
  if (!last) throw new Error("Nothing was measured");
  const resident = Math.min(...lately.map(({ figures }) => figures.get("resident") ?? Number.POSITIVE_INFINITY));
  return { ...last, figures: new Map([...last.figures, ["resident", resident]]) };
}
