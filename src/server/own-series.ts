import { ledgerSeries } from "./ledger-series.ts";
import { partSeries } from "./part-series.ts";
import { processSeries } from "./process-series.ts";
import type { Status } from "./status.ts";

/** One of mlmon's own metrics, and how it is read off the status at each scrape. */
export interface OwnSeries {
  readonly name: `mlmon_${string}` | `process_${string}`;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly labels?: readonly string[];
  /** What stands under the same labels twice is added up for a counter; for a gauge the later one counts. */
  values(status: Status): Iterable<readonly [labels: Readonly<Record<string, string>>, value: number]>;
}

/** All of mlmon's own metrics; README explains each. */
export const ownSeries: readonly OwnSeries[] = [...ledgerSeries, ...partSeries, ...processSeries];
