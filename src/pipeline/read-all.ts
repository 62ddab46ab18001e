import type { ResolvedConfig } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import type { Progress, SourceContext } from "../model/context.ts";
import type { Log } from "../model/log.ts";
import type { View } from "../view/view.ts";
import { activateTransforms } from "./active-transforms.ts";
import { createIntake, sourceOwner } from "./intake.ts";
import { activeSource, readSource } from "./read-source.ts";
import { openView, viewOptions } from "./view-keeper.ts";

/** What is read, and into which journal and view. */
export interface ReadAllOptions {
  readonly config: ResolvedConfig;
  readonly journal: Journal;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly consumes: SourceContext["consumes"];
  readonly onProgress?: (source: string, progress: Progress) => void;
  /** Called when the journal is full, which by default is waited out; throws to end the reading. */
  readonly makeRoom?: () => Promise<void>;
  /** What shows it; by default a view of the journal. */
  readonly view?: View;
}

/** Reads every source once into a journal and returns the view of it; nothing is delivered. */
export async function readAll({
  config,
  journal,
  log,
  signal,
  now,
  consumes,
  onProgress,
  makeRoom = async () => {},
  ...options
}: ReadAllOptions): Promise<View> {
  const context = { log, signal, now };
  const view = options.view ?? (await openView(journal, viewOptions(config)));
  const intake = createIntake(journal, view, activateTransforms(config, journal, context));
  for (const entry of config.sources) {
    await readSource(activeSource(entry), {
      journal,
      intake,
      makeRoom,
      context: { ...context, state: journal.state(sourceOwner(entry.id)), once: true, consumes },
      onProgress: onProgress ?? (() => {}),
    });
  }
  return view;
}
