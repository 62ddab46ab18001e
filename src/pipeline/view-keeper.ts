import type { ResolvedConfig } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import { createView, restoreView, type ViewOptions } from "../view/create-view.ts";
import type { View } from "../view/view.ts";
import type { Intake } from "./intake.ts";

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

/** Writes snapshots: `save` now, and by itself once a minute while the view changes, with `expire` before. */
export function keepView(
  view: View,
  journal: Journal,
  intake: Intake,
  now: () => number,
): { save(): Promise<void>; stop(): void } {
  let savedVersion = -1;
  async function save(): Promise<void> {
    await intake.exclusively(async () => {
      const position = journal.end();
      if (view.version === savedVersion && journal.position(viewConsumer) === position) return;
      journal.state(viewConsumer).set("snapshot", view.snapshot());
      await journal.commit(viewConsumer, position, { owners: [viewConsumer] });
      savedVersion = view.version;
    });
    await journal.trim();
  }
  const timer = setInterval(() => {
    view.expire(now());
    // A failed write is met again by the next append, which reports it.
    save().catch(() => undefined);
  }, 60_000);
  timer.unref();
  return { save, stop: () => clearInterval(timer) };
}

function restored(snapshot: unknown, options: ViewOptions, journal: Journal): View {
  if (!(snapshot instanceof Uint8Array)) return createView(options);
  try {
    return restoreView(snapshot, options);
  } catch (cause) {
    throw journal.damaged("the snapshot of the latest values cannot be read", cause);
  }
}
