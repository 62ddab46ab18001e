import { UsageError } from "../model/errors.ts";
import { parseDuration, parseMoment } from "../model/option.ts";

/**
 * Reads a flag that means a moment: a date such as `2026-03-01` or `2026-03-01T12:00Z`, or how long ago, such as `2h`.
 * Gives Unix ms; nothing when the flag is not given. Throws `UsageError` for anything else.
 */
export function moment(flag: string, value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  // A bare number is no date: nobody knows whether it means seconds or a year.
  const ago = /[a-z]$/i.test(value) ? parseDuration(value) : undefined;
  if (ago !== undefined) return now - ago;
  const time = parseMoment(value);
  if (time !== undefined) return time;
  throw new UsageError(
    `Cannot use --${flag} "${value}": expected a date such as "2026-03-01T12:00Z", or how long ago, such as "2h"`,
  );
}
