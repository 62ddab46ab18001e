import { join } from "node:path";
import { explain } from "../config/explain.ts";
import type { Batch } from "../model/batch.ts";
import type { Context } from "../model/context.ts";
import { WorkError } from "../model/errors.ts";
import { maskSecrets } from "../model/secret.ts";
import type { Transform } from "../model/source.ts";
import type { State } from "../model/state.ts";
import { checkBatch } from "./check-samples.ts";

/** A transform at work. */
export interface ActiveTransform {
  readonly id: string;
  readonly transform: Transform;
  readonly context: Context;
  /** Where the user's files lie, to name the line at which one throws. */
  readonly folder: string;
}

/**
 * Gives a batch to a transform, with its own memory unless another is given. A transform is the user's: throws a
 * `WorkError` that names it for what goes wrong in it, with the file and line where these are the user's, too.
 */
export async function applyTransform(
  { id, transform, context, folder }: ActiveTransform,
  given: Batch,
  state: State = context.state,
): Promise<Batch> {
  const giver = `the transform "${id}"`;
  const work = () => transform(given, { ...context, state });
  const batch = await Promise.try(work).catch((cause: unknown) => {
    if (cause instanceof WorkError) throw cause;
    throw new WorkError(`Cannot apply ${giver}: ${maskSecrets(explain(cause, join(folder, "-")))}`, { cause });
  });
  checkBatch(batch, giver);
  return batch;
}
