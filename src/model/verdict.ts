/**
 * Reads what a user's predicate has returned for a sample: anything but false, null, 0 and the like keeps it. Throws for
 * a promise, which would keep everything. Called for each sample by `filter` and for `match`.
 */
export function verdict(returned: unknown): boolean {
  if (typeof returned === "object" && returned !== null && "then" in returned) {
    throw new Error(
      "its function returned a promise, which would keep every sample: return true or false, without async",
    );
  }
  return Boolean(returned);
}
