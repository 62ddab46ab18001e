import { statSync } from "node:fs";

/** What `watchFiles` looks at, how often, and whom it tells. */
export interface WatchOptions {
  /** The files to look at, asked for anew each time. */
  readonly files: () => readonly string[];
  /** Unix ms: what was written since then, before the first look, has changed, too. */
  readonly since?: number;
  /** Called once for each change, when it has come to rest. */
  readonly onChange: () => void;
  /** 1 s by default. */
  readonly everyMs?: number;
}

/**
 * Calls back when one of the files has changed, come or gone. It looks at them by the clock: an editor replaces a file,
 * Kubernetes the link to its folder, and network drives tell of nothing. Returns what ends the watch.
 */
export function watchFiles({ files, since, onChange, everyMs = 1000 }: WatchOptions): () => void {
  let before = look(files());
  let known = since === undefined ? before : new Map(files().map((path) => [path, signature(path, since)]));
  const timer = setInterval(() => {
    const paths = files();
    // A file that is looked at for the first time has not changed.
    for (const path of paths) if (!known.has(path)) known.set(path, signature(path));
    const seen = look(paths);
    const hasChanged = paths.some((path) => seen.get(path) !== known.get(path));
    const isAtRest = paths.every((path) => seen.get(path) === before.get(path));
    before = seen;
    if (!hasChanged || !isAtRest) return;
    known = seen;
    onChange();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function look(paths: readonly string[]): Map<string, string> {
  return new Map(paths.map((path) => [path, signature(path)]));
}

/** What was written since a moment equals nothing. */
function signature(path: string, since = Number.POSITIVE_INFINITY): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return mtimeMs >= since ? "" : `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "gone";
  }
}
