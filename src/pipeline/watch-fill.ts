import type { Journal } from "../journal/journal.ts";
import type { Log } from "../model/log.ts";
import { type Backlog, journalWarning, warnedFill } from "./journal-warning.ts";

const everyMs = 5000;

/** Below this much less than the fill that is warned of, the next warning is news. */
const hysteresis = 0.1;

/**
 * Warns once each time the journal gets nearly full, before reading pauses, and says when it has room again. Returns
 * what stops it.
 */
export function watchFill(journal: Journal, backlog: () => Backlog, log: Log, intervalMs = everyMs): () => void {
  let warned = false;
  const timer = setInterval(() => {
    const size = journal.size();
    if (!warned && size.fill >= warnedFill) {
      warned = true;
      log.warn(journalWarning(size, backlog()) ?? "", { fill: Number(size.fill.toFixed(3)) });
    } else if (warned && size.fill < warnedFill - hysteresis) {
      warned = false;
      log.info("The journal has room again", { bytes: size.bytes, maxBytes: size.maxBytes });
    }
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
