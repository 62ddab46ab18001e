import type { Journal, LedgerRow } from "../journal/journal.ts";
import type { Batch } from "../model/batch.ts";
import { type Log, silentLog } from "../model/log.ts";
import type { State } from "../model/state.ts";
import type { View } from "../view/view.ts";
import { type ActiveTransform, applyTransform } from "./apply-transform.ts";
import { checkBatch } from "./check-samples.ts";

/** Takes batches of all sources, one at a time: transforms, journal, view. */
export interface Intake {
  /** Resolves when the batch is durable and the view shows it; rejects when a transform throws, with nothing taken. */
  take(source: string, batch: Batch): Promise<void>;
  /** Runs a task while nothing is being taken, so that the journal's end and the view agree. */
  exclusively<T>(task: () => Promise<T>): Promise<T>;
  /** Puts other transforms in the place of those there are, between two batches. */
  replaceTransforms(transforms: readonly ActiveTransform[]): Promise<void>;
  /** Gives each batch, as the view gets it, to this function as well, until the returned one is called. */
  follow(follower: (batch: Batch) => void): () => void;
}

/** Makes the intake of a pipeline; called once. */
export function createIntake(
  journal: Journal,
  view: View,
  first: readonly ActiveTransform[],
  log: Log = silentLog,
): Intake {
  let transforms = first;
  let last: Promise<unknown> = Promise.resolve();
  // One batch at a time: the state that a transform has set must be committed with the batch it has seen.
  function exclusively<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  }
  const explained = new Set<string>();
  const followers = new Set<(batch: Batch) => void>();
  const transformOwners = () => transforms.map(({ id }) => transformOwner(id));

  /** A batch that was not taken has set nothing: what is read again must be taken for new. */
  async function takeOrDiscard(source: string, batch: Batch): Promise<void> {
    try {
      await takeNow(source, batch);
    } catch (error) {
      journal.discard([sourceOwner(source), ...transformOwners()]);
      throw error;
    }
  }

  async function takeNow(source: string, batch: Batch): Promise<void> {
    checkBatch(batch, `the source "${source}"`);
    const ledger: LedgerRow[] = readRows(source, batch);
    const { restored, ...rest } = batch;
    let current: Batch = { ...rest, source };
    let shown = restored ?? [];
    for (const active of transforms) {
      const { id } = active;
      const before = current.samples;
      // A transform may give samples and ended runs alone, as the contract asks for no more.
      const { samples, ended, restored: more = [] } = await applyTransform(active, current);
      shown = [...(await transformShown(active, shown, batch.time)), ...more];
      current = { ...current, samples, ended };
      const filtered = before.length - current.samples.length;
      if (filtered !== 0) {
        ledger.push({ scope: "transform", id, name: "filtered", reason: source, count: filtered });
        explain(id, before, samples);
      }
    }
    const stored = current.samples.length;
    if (stored > 0) ledger.push({ scope: "source", id: source, name: "stored", reason: "", count: stored });
    if (shown.length > 0) current = { ...current, restored: shown };
    await journal.append({ batch: current, owners: [sourceOwner(source), ...transformOwners()], ledger });
    view.apply(current);
    for (const follower of followers) follower(current);
    explainCap();
  }

  /** Says once a transform what it has dropped; one that makes new samples of all has no example. */
  function explain(transform: string, before: Batch["samples"], after: Batch["samples"]): void {
    if (explained.has(transform) || after.length >= before.length) return;
    explained.add(transform);
    const kept = new Set(after);
    const dropped = before.find((sample) => !kept.has(sample));
    const isExample = before.some((sample) => kept.has(sample)) || after.length === 0;
    const example = isExample && dropped ? { example: dropped.name } : {};
    log.info("Samples are filtered, which are counted from here on", { transform, ...example });
  }

  /** Says once that the view is full. */
  function explainCap(): void {
    const { refused, max } = view.counts();
    if (refused.size === 0 || explained.has("series.max")) return;
    explained.add("series.max");
    const [example] = refused.keys();
    log.warn("New series are not shown, as there are as many as series.max allows", { max, example });
  }

  return {
    take: (source, batch) => exclusively(() => takeOrDiscard(source, batch)),
    exclusively,
    replaceTransforms: (next) =>
      exclusively(async () => {
        transforms = next;
      }),
    follow(follower) {
      followers.add(follower);
      return () => void followers.delete(follower);
    },
  };
}

/** What the view alone is shown must look as all else there; the memory of the transform is not touched. */
async function transformShown(
  active: ActiveTransform,
  shown: Batch["samples"],
  time: number,
): Promise<Batch["samples"]> {
  if (shown.length === 0) return shown;
  const { samples, restored = [] } = await applyTransform(active, { time, samples: shown, ended: [] }, emptyState());
  return [...samples, ...restored];
}

/** Names the state of a source in the journal. */
export function sourceOwner(id: string): string {
  return `source/${id}`;
}

/** Names the state of a transform in the journal. */
export function transformOwner(id: string): string {
  return `transform/${id}`;
}

function emptyState(): State {
  return { get: () => undefined, set() {}, delete() {}, scan: () => [] };
}

function readRows(source: string, batch: Batch): LedgerRow[] {
  const rows: LedgerRow[] = [];
  const row = { scope: "source", id: source, reason: "" } as const;
  if (batch.samples.length > 0) rows.push({ ...row, name: "read", count: batch.samples.length });
  const nonFinite = batch.samples.reduce((count, { value }) => count + (Number.isFinite(value) ? 0 : 1), 0);
  if (nonFinite > 0) rows.push({ ...row, name: "nonfinite", count: nonFinite });
  const rounded = batch.samples.reduce((count, { step, time }) => count + (isExact(step) && isExact(time) ? 0 : 1), 0);
  if (rounded > 0) rows.push({ ...row, name: "rounded", count: rounded });
  return rows;
}

function isExact(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}
