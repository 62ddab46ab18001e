import { dirname, resolve } from "node:path";
import type { ResolvedConfig } from "../config/resolved.ts";
import type { Journal } from "../journal/journal.ts";
import type { Context } from "../model/context.ts";
import type { ActiveTransform } from "./apply-transform.ts";
import { transformOwner } from "./intake.ts";

/** Makes the transforms of a configuration, each with its memory in the journal. */
export function activateTransforms(
  { transforms, origin }: ResolvedConfig,
  journal: Journal,
  context: Omit<Context, "state">,
): readonly ActiveTransform[] {
  return transforms.map(({ id, create }) => ({
    id,
    transform: create(),
    folder: dirname(resolve(origin)),
    context: { ...context, state: journal.state(transformOwner(id)) },
  }));
}
