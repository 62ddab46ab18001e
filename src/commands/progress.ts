import { stderr } from "node:process";
import type { Progress } from "../model/context.ts";

/**
 * Shows progress on one line of stderr that is written over, ten times a second at most; nothing when stderr is no
 * terminal. The line is cleared when the work is done.
 */
export function showProgress(): (source: string, progress: Progress) => void {
  if (!stderr.isTTY) return () => {};
  let last = 0;
  return (source, { done, total, unit }) => {
    const now = performance.now();
    if (done < total && now - last < 100) return;
    last = now;
    const percent = total > 0 ? ` ${Math.floor((done / total) * 100)} %` : "";
    stderr.write(done < total ? `\r\u001b[K${source}: ${done} of ${total} ${unit}${percent}` : "\r\u001b[K");
  };
}
