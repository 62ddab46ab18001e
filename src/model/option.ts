import * as v from "valibot";
import { holdsSecret, Secret, secret } from "./secret.ts";

/** Schemas for what options are made of; plugins use the same, so that every option is written in one form. */
export const option = {
  /** `"500ms" "60s" "10m" "2h" "30d"`, a bare number is seconds; gives ms. */
  duration: () => quantity(durationWords, parseDuration),
  /** `"64MiB" "1GiB" "500kB"`, a bare number is bytes; gives bytes. */
  size: () => quantity('a size such as "500kB", "64MiB" or "1GiB"', parseSize),
  /** A moment: a date such as `"2026-03-01"` or `"2026-03-01T12:00Z"`, or a `Date`; gives Unix ms. */
  moment: () =>
    v.pipe(
      v.union([v.string(), v.date()], momentWords),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const { value } = dataset;
        const ms = typeof value === "string" ? parseMoment(value) : value.getTime();
        if (ms !== undefined && Number.isFinite(ms)) return ms;
        addIssue({ expected: momentWords });
        return NEVER;
      }),
    ),
  /** A `secret.env(…)` or `secret.file(…)`, or the text itself, which then is kept as secret as those. */
  secret: (name: string) =>
    v.union(
      [
        v.instance(Secret),
        v.pipe(
          v.string(),
          v.nonEmpty(),
          v.transform((text) => secret.literal(name, text)),
        ),
      ],
      `a secret: secret.env("NAME"), secret.file("path") or a text`,
    ),
  /** An absolute `http://` or `https://` address. */
  url: () =>
    v.pipe(
      v.string(),
      v.check(
        (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
        "an http:// or https:// address",
      ),
      v.check((text) => !holdsSecret(text), "an address without a secret in it, as only headers can carry one"),
    ),
};

/** A duration that a timer waits; a longer one than it can wait would end at once. For the options of mlmon's own. */
export function waitingTime() {
  const tooLong = 'at most "24d", a bare number being seconds';
  return quantity(durationWords, parseDuration, { max: longestWaitMs, tooLong });
}

/** 24 days; timers end at 2³¹ ms. */
export const longestWaitMs = 24 * 86_400_000;

/** What a moment is, in words for a message. */
export const momentWords = 'a date such as "2026-03-01" or "2026-03-01T12:00Z"';

const durationWords = 'a duration such as "500ms", "60s", "10m", "2h" or "30d"';

function quantity(
  words: string,
  parse: (value: string | number) => number | undefined,
  { max, tooLong } = { max: Number.POSITIVE_INFINITY, tooLong: words },
) {
  return v.pipe(
    v.union([v.pipe(v.number(), v.minValue(0)), v.string()], words),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const parsed = parse(dataset.value);
      if (parsed !== undefined && parsed <= max) return parsed;
      addIssue({ expected: parsed === undefined ? words : tooLong });
      return NEVER;
    }),
  );
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Reads a duration as ms, or nothing when it is none. */
export function parseDuration(value: string | number): number | undefined {
  return parseQuantity(value, durationUnits, 1000);
}

/** Reads a date (ISO 8601) as Unix ms, or nothing when it is none; a bare number is no date, as nobody knows its unit. */
export function parseMoment(value: string): number | undefined {
  const time = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) ? time : undefined;
}

/** Reads a size as bytes, or nothing when it is none. */
function parseSize(value: string | number): number | undefined {
  return parseQuantity(value, sizeUnits, 1);
}

function parseQuantity(value: string | number, units: Readonly<Record<string, number>>, bare: number) {
  if (typeof value === "number") return Number.isFinite(value) ? Math.round(value * bare) : undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(value.trim());
  if (!match) return undefined;
  const unit = match[2] === "" ? bare : units[match[2] ?? ""];
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}
