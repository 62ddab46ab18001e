import type { StateFolder } from "../journal/state-folder.ts";
import type { Log } from "../model/log.ts";

const everyMs = 5000;

/** Says that the state folder has gone from under a running mlmon; nothing while it is there. Names no path without one. */
export function folderWarning({
  path,
  isThere,
}: Pick<StateFolder, "isThere"> & Partial<StateFolder>): string | undefined {
  if (isThere()) return undefined;
  return (
    `The state folder${path === undefined ? "" : ` "${path}"`} was removed or replaced: delivery goes on, but nothing of it outlives this process. ` +
    "Start mlmon again: it reads MLflow from the start"
  );
}

/** Logs that the folder has gone, once; called by the service. Returns what stops it. */
export function watchFolder(folder: StateFolder, log: Log, intervalMs = everyMs): () => void {
  const timer = setInterval(() => {
    const warning = folderWarning(folder);
    if (warning === undefined) return;
    clearInterval(timer);
    log.error(warning);
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
