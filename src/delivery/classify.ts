import type { Outcome } from "../model/outcome.ts";
import { maskSecrets } from "../model/secret.ts";

/** What an answer's status means, beside the words that go into the reason. */
type Meaning = "delivered" | "retry" | "rejected" | "paused" | "split";

const meanings: Readonly<Record<number, Meaning>> = {
  400: "split",
  401: "paused",
  403: "paused",
  404: "paused",
  408: "retry",
  413: "split",
  422: "split",
  425: "retry",
  429: "retry",
  501: "rejected",
};

const mends: Readonly<Record<number, string>> = {
  401: "the receiver asks for credentials: set or renew the key of this sink",
  403: "the receiver refuses these credentials: check the rights of the key of this sink",
  404: "the receiver knows no such path: check the endpoint of this sink",
};

/** A longer `Retry-After` is cut to one hour: a receiver's slip of the pen must not stop a sink for days. */
const maxRetryAfterMs = 3_600_000;

/** How a receiver differs from the table of `classify`. */
export interface ClassifyOptions {
  /** Statuses that mean something else to this receiver: `{ 400: "rejected" }`. */
  readonly statuses?: Readonly<Record<number, Meaning>>;
  /** Unix ms, to read a `Retry-After` that is a date. */
  readonly now?: () => number;
}

/**
 * Reads an answer by the table for JSON receivers: 2xx delivered; 400, 413 and 422 split; 401, 403 and 404 paused; 408,
 * 425, 429 and 5xx retried, honouring `Retry-After` (RFC 9110, 10.2.3) up to an hour; the rest, redirects among them,
 * rejected. The reason holds the receiver's own words. Called by the host for every answer, or by a sink's `classify`.
 */
export async function classify(response: Response, options: ClassifyOptions = {}): Promise<Outcome> {
  const { status } = response;
  const kind = options.statuses?.[status] ?? meaning(status);
  if (kind === "delivered") return { kind };
  const reason = await describe(response);
  if (kind !== "retry") return { kind, reason };
  const afterMs = retryAfterMs(response.headers.get("retry-after"), options.now ?? Date.now);
  return afterMs === undefined ? { kind, reason } : { kind, reason, afterMs };
}

function meaning(status: number): Meaning {
  if (status >= 200 && status < 300) return "delivered";
  return meanings[status] ?? (status >= 500 ? "retry" : "rejected");
}

async function describe(response: Response): Promise<string> {
  const { status } = response;
  if (status >= 300 && status < 400) {
    const target = redirectTarget(response.headers.get("location") ?? "");
    return `${status}: ${target && `it redirects to ${target}: `}redirects are not followed, so give the final address`;
  }
  const words = shorten(await response.text());
  return [String(status), mends[status], words && `the receiver says "${words}"`].filter(Boolean).join(": ");
}

/** Where a redirect leads, without user part and query: both may hold secrets. */
function redirectTarget(location: string): string {
  const here = "http://here.invalid";
  if (location === "" || !URL.canParse(location, here)) return "";
  const { origin, protocol, host, pathname } = new URL(location, here);
  return shorten(maskSecrets(origin === here ? pathname : `${protocol}//${host}${pathname}`));
}

/** One line of at most 300 characters, none of which can steer a terminal. */
function shorten(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}

function retryAfterMs(header: string | null, now: () => number): number | undefined {
  if (header === null) return undefined;
  const isSeconds = /^\d+$/.test(header.trim());
  // Date.parse makes a year of "-5"; every form of an HTTP date names its month.
  if (!isSeconds && !/[a-z]{3}/i.test(header)) return undefined;
  const ms = isSeconds ? Number(header) * 1000 : Date.parse(header) - now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxRetryAfterMs);
}
