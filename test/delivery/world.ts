import { activateSink } from "../../src/delivery/activate.ts";
import type { ActiveSink } from "../../src/delivery/active-sink.ts";
import { runPointsWorker } from "../../src/delivery/points-worker.ts";
import { createSender } from "../../src/delivery/send.ts";
import type { DeliveryWorld } from "../../src/delivery/settle.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/sqlite-journal.ts";
import type { Batch } from "../../src/model/batch.ts";
import type { SinkEntry } from "../../src/model/define.ts";
import { type Log, silentLog } from "../../src/model/log.ts";
import type { SinkContext } from "../../src/model/sink.ts";
import type { CheckedSinkOptions } from "../../src/model/sink-options.ts";

/** A journal with one sink at work on it; waits take no time but are written down. */
export interface Bench {
  readonly journal: Journal;
  readonly sink: ActiveSink;
  /** The waits that the worker asked for, ms. */
  readonly waits: number[];
  /** The lines logged as errors, with their fields. */
  readonly errors: string[];
  /** Delivers all batches, as `export-once` does, and resolves when the worker has ended. */
  deliver(batches: readonly Batch[]): Promise<void>;
  /** Counts of the ledger, `"delivered"` or `"dead http_400"`. */
  counts(): Record<string, number>;
  /** Ends the worker at once. */
  readonly stop: AbortController;
  close(): Promise<void>;
}

/** Makes the bench of one sink. */
export async function openBench(entry: SinkEntry, host: CheckedSinkOptions = {}, maxBytes = 1e9): Promise<Bench> {
  const journal = await openJournal({ path: ":memory:", maxBytes });
  const prepared = entry.prepare();
  if (!prepared.ok) throw new Error(prepared.issues[0]?.message);
  const resolved = { id: entry.type, type: entry.type, host, create: prepared.create };
  const sink = activateSink(resolved, { send: createSender({ version: "test" }), now: Date.now });
  const stop = new AbortController();
  const waits: number[] = [];
  const errors: string[] = [];
  const log: Log = {
    ...silentLog,
    error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
  };
  const ctx: SinkContext = {
    log: silentLog,
    now: Date.now,
    signal: stop.signal,
    state: journal.state(`sink/${sink.id}`),
    ownMetrics: async () => "",
  };
  const world: DeliveryWorld = {
    ctx,
    log,
    random: () => 0.5,
    async wait(ms, signal) {
      if (!signal.aborted) waits.push(ms);
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
  return {
    journal,
    sink,
    waits,
    errors,
    stop,
    async deliver(batches) {
      const ended = new AbortController();
      const common = { sink, journal, ctx, log, signal: stop.signal, inputEnded: ended.signal };
      const worker = runPointsWorker({ ...common, once: true, world });
      for (const batch of batches) await journal.append({ batch });
      ended.abort();
      await worker;
    },
    counts() {
      const rows = journal.ledger().map(({ name, reason, count }) => [`${name} ${reason}`.trim(), count] as const);
      return Object.fromEntries(rows);
    },
    close: () => journal.close(),
  };
}
