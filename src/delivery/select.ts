import type { LedgerRow, Slice } from "../journal/journal.ts";
import type { Batch } from "../model/batch.ts";
import { messageOf } from "../model/message-of.ts";
import type { Sample } from "../model/sample.ts";
import { verdict } from "../model/verdict.ts";
import { isRunSeries } from "../view/run-series.ts";
import type { ActiveSink } from "./active-sink.ts";

/** What a sink is to render of what it was given, and the counts of what it is not. */
export interface Selection {
  readonly batch: Batch;
  readonly ledger: readonly LedgerRow[];
  /** The first sample left out for each reason. */
  readonly examples?: ReadonlyMap<string, Sample>;
  /** What `match` or `refuse` threw first; its samples are refused as `plugin_error`. */
  readonly failure?: string;
}

/** Joins the batches of a slice into one, with the time of the first; nothing for a slice without any. */
export function mergeSlice({ batches }: Slice): Batch | undefined {
  const [first] = batches;
  if (!first) return undefined;
  return {
    time: first.time,
    samples: batches.length === 1 ? first.samples : batches.flatMap(({ samples }) => samples),
    ended: batches.flatMap(({ ended }) => ended),
  };
}

/**
 * Keeps what is not from before the sink's start, what the user's `match` wants and the sink can carry; `dry-run` and the
 * workers share it.
 */
export function select(sink: ActiveSink, batch: Batch): Selection {
  if (selectsAll(sink)) return { batch, ledger: [] };
  const since = sink.startsAt?.() ?? Number.NEGATIVE_INFINITY;
  const counts = new Map<string, number>();
  const examples = new Map<string, Sample>();
  let failure: string | undefined;
  const samples = batch.samples.filter((sample) => {
    let key: string | undefined;
    try {
      key = sample.time < since && !isKnown(sample, since) ? earlyKey : leftOut(sink, sample);
    } catch (error) {
      key = "plugin_error";
      failure ??= messageOf(error);
    }
    if (key === undefined) return true;
    if (!counts.has(key)) examples.set(wishes.get(key) ?? key, sample);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return false;
  });
  const ledger = [...counts].map(([key, count]): LedgerRow => {
    const unmatched = wishes.has(key);
    return {
      scope: "sink",
      id: sink.id,
      name: unmatched ? "unmatched" : "refused",
      reason: unmatched ? "" : key,
      count,
    };
  });
  // Who was given nothing of a run is not told of its end.
  const ended = batch.ended.filter(({ deleted, endTime = since }) => deleted || endTime >= since);
  const selection = { batch: { ...batch, samples, ended }, ledger, examples };
  return failure === undefined ? selection : { ...selection, failure };
}

/** Whether nothing is left out, so that samples can be counted unseen; asked by `select` and where a worker passes many. */
export function selectsAll({ match, traits, startsAt }: ActiveSink): boolean {
  return !match && !traits.refuse && !startsAt;
}

const unmatchedKey = "\u0000";
const earlyKey = "\u0001";

/** What the user leaves out, by the option that says so. */
const wishes: ReadonlyMap<string, string> = new Map([
  [unmatchedKey, "match"],
  [earlyKey, "startFrom"],
]);

/** What the view knows of a source, or of a run that had not ended, is of today, whenever that run began. */
function isKnown(sample: Sample, since: number): boolean {
  const { series, run } = sample;
  return series !== undefined && (!run || (isRunSeries(sample) && (run.endTime ?? since) >= since));
}

function leftOut({ match, traits }: ActiveSink, sample: Sample): string | undefined {
  if (match && !verdict(match(sample))) return unmatchedKey;
  return traits.refuse?.(sample);
}
