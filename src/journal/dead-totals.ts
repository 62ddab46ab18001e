import { number, type Row, text } from "./columns.ts";
import type { Database } from "./database.ts";
import type { DeadCount } from "./dead-queue.ts";

/** What was sent back to delivery and is still to come; `oldest` is when the first of it was sent back, Unix ms. */
export interface Replaying {
  readonly samples: number;
  readonly bytes: number;
  readonly oldest: number | undefined;
}

/** How much there is of dead letters: kept by the schema beside each change, so that nothing here scans them. */
export interface DeadTotals {
  /** What is dead, by sink and reason. */
  kept(): readonly DeadCount[];
  keptBytes(): number;
  /** Asked for at each status, and by workers before each slice. */
  replaying(sink: string): Replaying;
  /** What was sent back for a sink, by reason. */
  replayedReasons(sink: string): readonly { readonly reason: string; readonly samples: number }[];
}

/** Opens the totals of a journal. */
export function openDeadTotals({ db, run }: Database): DeadTotals {
  const kept = db.prepare(`
    SELECT sink, reason, letters, samples, bytes FROM dead_totals WHERE replayed = 0 AND letters > 0 ORDER BY sink, reason`);
  const keptBytes = db.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM dead_totals WHERE replayed = 0");
  const replayed = db.prepare(
    "SELECT reason, samples, bytes FROM dead_totals WHERE replayed = 1 AND letters > 0 AND sink = ?",
  );
  const sentBack = db.prepare("SELECT min(replay) AS oldest FROM dead_letters WHERE replay > 0 AND sink = ?");

  return {
    kept: () => run(() => kept.all().map(deadCount)),
    keptBytes: () => number(run(() => keptBytes.get()) ?? {}, "bytes"),
    replaying: (sink) =>
      run(() => {
        const rows = replayed.all(sink);
        if (rows.length === 0) return none;
        const sum = (column: string) => rows.reduce((total, row) => total + number(row, column), 0);
        return { samples: sum("samples"), bytes: sum("bytes"), oldest: number(sentBack.get(sink) ?? {}, "oldest") };
      }),
    replayedReasons: (sink) =>
      run(() => replayed.all(sink).map((row) => ({ reason: text(row, "reason"), samples: number(row, "samples") }))),
  };
}

/** Reads what was counted of one sink and reason. */
export function deadCount(row: Row): DeadCount {
  return {
    sink: text(row, "sink"),
    reason: text(row, "reason"),
    letters: number(row, "letters"),
    samples: number(row, "samples"),
    bytes: number(row, "bytes"),
  };
}

const none: Replaying = { samples: 0, bytes: 0, oldest: undefined };
