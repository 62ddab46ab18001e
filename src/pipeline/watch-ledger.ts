import { auditLedger } from "../journal/audit.ts";
import type { Journal } from "../journal/journal.ts";
import type { Log } from "../model/log.ts";

const everyMs = 60_000;

/**
 * Checks once a minute, and when it is stopped, that the ledger adds up, and logs each mismatch as an error: it is a bug
 * of mlmon, or a journal that was changed by another hand. Returns what stops it, before the journal is closed.
 */
export function watchLedger(journal: Journal, log: Log): () => void {
  const said = new Set<string>();
  function check(): void {
    for (const mismatch of auditLedger(journal)) {
      // A mismatch stays, with other figures in each minute.
      const about = mismatch.replaceAll(/\d+/g, "");
      if (said.has(about)) continue;
      said.add(about);
      log.error("The ledger does not add up, please report it", { mismatch });
    }
  }
  const timer = setInterval(check, everyMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    check();
  };
}
