import { WorkError } from "../model/errors.ts";
import { describeFailure } from "../model/failure.ts";

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
