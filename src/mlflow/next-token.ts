import { foreignError } from "./mlflow-error.ts";

/** Rows a page of a list: Azure's MLflow refuses more than 999. */
export const pageRows = 500;

/**
 * Returns the token of the page after this one, or nothing when this was the last. Throws `MlflowError` when the server
 * gives the token it was given: such a list has no end, and what it lacks must not be taken for gone. A page without a
 * row is no end as long as it has a token.
 */
export function nextToken(
  { server, path }: { readonly server: string; readonly path: string },
  asked: string | undefined,
  given: string | undefined,
): string | undefined {
  if (!given) return undefined;
  if (given === asked) throw foreignError(server, path, "the same page token again");
  return given;
}
