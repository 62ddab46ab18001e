import { WorkError } from "../model/errors.ts";
import { describeFailure } from "../model/failure.ts";
import { maskSecrets } from "../model/secret.ts";

/** Why MLflow did not give what was asked for; decides what to do next. */
export type Trouble =
  /** Passing: try again. */
  | "transient"
  /** 401: credentials. */
  | "auth"
  /** 403: the Host header is not among the server's allowed hosts, or an Origin was sent. */
  | "host"
  /** 403: no right to this experiment or run. */
  | "permission"
  /** The run or workspace is gone. */
  | "gone"
  /** This version, or a proxy, does not know the endpoint. */
  | "unknown"
  /** 2xx, but no answer of MLflow. */
  | "foreign"
  /** 400: the request itself. */
  | "invalid"
  /** The server's store cannot do this. */
  | "unsupported";

/** A failed call, in words for the user: what, why, and the mend. Holds no secret and no query string. */
export class MlflowError extends WorkError {
  readonly trouble: Trouble;
  /** The message without the mend. */
  readonly what: string;
  readonly mend: string;
  /** What the server asked to wait, in ms. */
  readonly retryAfterMs: number | undefined;
  /** Of an answer that may pass: 500 can be the fault of what was asked for. */
  readonly status: number | undefined;
  constructor(trouble: Trouble, what: string, mend: string, retryAfterMs?: number, status?: number) {
    super(`${what}: ${mend}`);
    this.trouble = trouble;
    this.what = what;
    this.mend = mend;
    this.retryAfterMs = retryAfterMs;
    this.status = status;
  }
}

/** What is known of an answer that is no success. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Turns a refusal into a typed error (mlflow.md § 3). `server` is the address without user part and query. */
export function refusalError(server: string, path: string, refusal: Refusal, now: number): MlflowError {
  const { status, headers, text } = refusal;
  const { code, message } = errorBody(text);
  const words = shorten(message ?? text);
  const because = (why: string) => `Cannot use MLflow at ${server} as ${why}`;
  if (status >= 300 && status < 400) {
    const target = redirectTarget(headers, server);
    const why = because(`it redirects${target ? ` to ${target}` : ""} (${status})`);
    return new MlflowError(
      "foreign",
      why,
      "redirects are not followed: set trackingUri to where MLflow itself answers",
    );
  }
  if (status === 401) {
    const mend = "set username and password, or token (MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN)";
    return new MlflowError("auth", because("it refuses the credentials (401)"), mend);
  }
  if (status === 403 && /host header|rebinding/i.test(text)) {
    const mend = `start MLflow with --allowed-hosts "${new URL(server).host},localhost:*"`;
    return new MlflowError("host", because(`it does not accept this host name (403 ${words})`), mend);
  }
  if (status === 403 && /cross-origin/i.test(text)) {
    const mend = "let no proxy add an Origin header";
    return new MlflowError("host", because("it takes the request for one of a foreign page (403)"), mend);
  }
  if (status === 403) {
    const mend = "grant the user READ on the experiments";
    return new MlflowError("permission", because(`${path} is forbidden (403 ${words})`), mend);
  }
  if (status === 404 && code === "RESOURCE_DOES_NOT_EXIST") {
    return new MlflowError("gone", because(`${path} answered 404 (${words})`), "check the workspace");
  }
  if (status === 404 || status === 405) {
    const mend = "check trackingUri, with the path if MLflow runs under --static-prefix or behind a proxy";
    return new MlflowError("unknown", because(`nothing there knows ${path} (${status})`), mend);
  }
  if (code === "FEATURE_DISABLED") {
    return new MlflowError("unsupported", because(`its store does not support ${path} (${words})`), "do without");
  }
  if (status === 429 || status === 408 || status >= 500) {
    const why = because(`it answered ${status}${message ? ` (${words})` : ""}`);
    const mend =
      status === 429
        ? "let it, or the proxy before it, allow more requests, or raise interval and lower concurrency"
        : "check the log of MLflow and of the proxies before it, it may still be starting";
    return new MlflowError("transient", why, mend, retryAfterMs(headers.get("retry-after"), now), status);
  }
  return new MlflowError(
    "invalid",
    because(`${path} answered ${status} (${words})`),
    "check the options of the source",
  );
}

/** A 2xx whose body is no JSON, or JSON of another shape. */
export function foreignError(server: string, path: string, detail: string): MlflowError {
  const what = `Cannot use MLflow at ${server} as ${path} gave no answer of MLflow (${detail})`;
  return new MlflowError("foreign", what, "check trackingUri, and whether a proxy or a login page answers instead");
}

/** The connection failed or was cut; `cause` is what the runtime threw, whose own words may hold the whole address. */
export function networkError(server: string, cause: unknown): MlflowError {
  const reason = describeFailure(cause, "the server");
  const mend = mends.find(([pattern]) => pattern.test(reason))?.[1] ?? "check that it runs there";
  const why = reason.replace(/^TLS: /, "").replace(": ", ", ");
  return new MlflowError("transient", `Cannot use MLflow at ${server} as ${why}`, mend);
}

/** No answer within a time. */
export class TimeoutError extends MlflowError {
  constructor(server: string, timeoutMs: number) {
    const why = `Cannot use MLflow at ${server} as it did not answer within ${timeoutMs / 1000} s`;
    super("transient", why, "check that it runs there and that no firewall swallows requests, or raise timeout");
  }
}

/** What ended amid its JSON: half of one is what a dying server or proxy leaves behind. */
export function cutError(server: string): MlflowError {
  const why = `Cannot use MLflow at ${server} as its answer was cut off`;
  return new MlflowError("transient", why, "check its log and that of the proxies before it");
}

const mends: readonly (readonly [reason: RegExp, mend: string])[] = [
  [/^connection refused/, "check that it runs there, or correct trackingUri (MLFLOW_TRACKING_URI)"],
  [/host not found/, "correct the host in trackingUri (MLFLOW_TRACKING_URI)"],
  [/no TLS/, "write http:// in trackingUri, or the port that speaks TLS"],
  [/^TLS:/, "give it a certificate for this host name, or trust its authority with caFile"],
  [
    /^connection (reset|closed)|no HTTP/,
    "check its log, and whether trackingUri begins with the right one of http:// and https://",
  ],
];

/** Where a redirect leads, without user part and query: both may hold secrets. */
function redirectTarget(headers: Headers, server: string): string | undefined {
  const location = headers.get("location") ?? "";
  if (location === "" || !URL.canParse(location, `${server}/`)) return undefined;
  const { protocol, host, pathname } = new URL(location, `${server}/`);
  return shorten(`${protocol}//${host}${pathname}`);
}

function errorBody(text: string): { code?: string; message?: string } {
  if (!text.trimStart().startsWith("{")) return {};
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return {};
    const code = "error_code" in body && typeof body.error_code === "string" ? { code: body.error_code } : {};
    const message = "message" in body && typeof body.message === "string" ? { message: body.message } : {};
    return { ...code, ...message };
  } catch {
    return {};
  }
}

/** The server's words: one line, no markup, short, secrets masked. */
function shorten(text: string): string {
  const line = maskSecrets(text.replace(/<[^>]*>/g, " "))
    .replace(/\s+/g, " ")
    .trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function retryAfterMs(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  // A slip of the pen on the other side must not stop reading for days.
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, 3_600_000) : undefined;
}
