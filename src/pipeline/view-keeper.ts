import type { ResolvedConfig } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import { createView, restoreView, type ViewOptions } from "../view/create-view.ts";
import type { View } from "../view/view.ts";
import type { Intake } from "./intake.ts";
import { within } from "./within.ts";

/** The name of the view in the journal. */
export const viewConsumer = "view";

/** Brings the view to the end of the journal: from its last snapshot, then from the batches that came after it. */
export async function openView(journal: Journal, options: ViewOptions): Promise<View> {
  const snapshot = journal.state(viewConsumer).get("snapshot");
  const view = restored(snapshot, options, journal);
  let position = journal.position(viewConsumer);
  // Without a place of its own, what every sink has passed would be trimmed before the first snapshot.
  if (!journal.consumers().includes(viewConsumer)) await journal.commit(viewConsumer, position);
  for (;;) {
    const { batches, next } = await journal.slice(position, { samples: 50_000, bytes: 64 * 1024 ** 2 });
    if (next === position) break;
    for (const batch of batches) view.apply(batch);
    position = next;
  }
  return view;
}

/** What a configuration says of the view. */
export function viewOptions({ series, sources }: ResolvedConfig): ViewOptions {
  return { ...series, sources: sources.map(({ id }) => id) };
}

/** Writes snapshots of the view, by itself once a minute while it changes, with `expire` before. */
export interface ViewKeeper {
  /** Writes one now; rejects when it cannot be written. */
  save(): Promise<void>;
  /** The same, but goes on without it, after a line in the log. */
  saveWithin(ms: number, log: Log): Promise<void>;
  /** Does what changes the view, with what it sets in the view's state, and writes both in one transaction. */
  change(task: () => void): Promise<void>;
  /**
   * Writes one when only the last one keeps what the journal holds, and goes on without it. Called at each change of a
   * full journal: beside a sink that holds as much it would free nothing, and costs megabytes each time.
   */
  makeRoom(): Promise<void>;
  stop(): void;
}

/** Makes the keeper of a pipeline's view. */
export function keepView(view: View, journal: Journal, intake: Intake, now: () => number): ViewKeeper {
  let savedVersion = -1;
  async function save(): Promise<void> {
    await intake.exclusively(async () => {
      const position = journal.end();
      if (view.version === savedVersion && journal.position(viewConsumer) === position) return;
      await write();
      savedVersion = view.version;
    });
    await journal.trim();
  }
  async function change(task: () => void): Promise<void> {
    await intake.exclusively(async () => {
      task();
      await write();
      savedVersion = view.version;
    });
    await journal.trim();
  }
  function write(): Promise<void> {
    journal.state(viewConsumer).set("snapshot", view.snapshot());
    return journal.commit(viewConsumer, journal.end(), { owners: [viewConsumer] });
  }
  async function saveWithin(ms: number, log: Log): Promise<void> {
    const message = "The snapshot of the latest values cannot be written";
    try {
      if (!(await within(ms, save()))) log.warn(`${message} in time`);
    } catch (error) {
      // The journal still holds what came since the last one.
      log.error(message, { reason: messageOf(error) });
    }
  }
  async function makeRoom(): Promise<void> {
    const own = journal.position(viewConsumer);
    const others = journal.consumers().filter((consumer) => consumer !== viewConsumer);
    if (others.every((consumer) => journal.position(consumer) > own)) await saveOrNot();
  }
  /** A failed write is met again by the next append, which reports it. */
  const saveOrNot = () => save().catch(() => undefined);
  const timer = setInterval(() => {
    view.expire(now());
    void saveOrNot();
  }, 60_000);
  timer.unref();
  return { save, saveWithin, change, makeRoom, stop: () => clearInterval(timer) };
}

function restored(snapshot: unknown, options: ViewOptions, journal: Journal): View {
  if (!(snapshot instanceof Uint8Array)) return createView(options);
  try {
    return restoreView(snapshot, options);
  } catch (cause) {
    throw journal.damaged("the snapshot of the latest values cannot be read", cause);
  }
}
