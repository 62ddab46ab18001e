import type { Log } from "../model/log.ts";
import type { State } from "../model/state.ts";
import type { BulkReader } from "./bulk.ts";
import type { Counts } from "./counts.ts";
import type { HistoryPages } from "./history-page.ts";
import type { Unreadable } from "./unreadable.ts";

/** Everything that reading runs needs. */
export interface Collector {
  readonly state: State;
  readonly counts: Counts;
  readonly pages: HistoryPages;
  readonly bulk: BulkReader;
  /** Whether `bulk` gives points in the order of `get-history`; else the next reading compares the whole list. */
  readonly bulkInOrder: boolean;
  readonly unreadable: Unreadable;
  readonly include: "history" | "latest";
  /** Series read ahead of the one whose turn it is. */
  readonly concurrency: number;
  /** Unix ms until which a run that ends now is looked at again, by the server's clock. */
  graceUntil(endTime: number | undefined): number | undefined;
  readonly log: Log;
}
