import { maskSecrets } from "../model/secret.ts";
import { MlflowError } from "./mlflow-error.ts";

/** What is known of an answer that is no success. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** How the request has logged in, `Basic` or `Bearer`; nothing where it has not. */
  readonly scheme?: string | undefined;
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
    const [why, mend] = loginWanted(refusal);
    return new MlflowError("auth", because(`${why} (401)`), mend);
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
    const mend = isWriting.test(path)
      ? "grant the user EDIT on the experiment, or on the workspace to make experiments there"
      : "grant the user READ on the experiments";
    return new MlflowError("permission", because(`${path} is forbidden (403 ${words})`), mend);
  }
  if (status === 404 && code === "RESOURCE_DOES_NOT_EXIST") {
    return new MlflowError("gone", because(`${path} answered 404 (${words})`), mendOf(words, "check the workspace"));
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
    mendOf(words, "check the options of the source"),
  );
}

function loginWanted({ scheme, headers }: Refusal): readonly [why: string, mend: string] {
  if (scheme === undefined) return ["it asks for a login", `set ${anyLogin}`];
  if (scheme === "Bearer" && /^basic\b/i.test(headers.get("www-authenticate") ?? "")) {
    return ["it takes no token", "set username and password (MLFLOW_TRACKING_USERNAME, _PASSWORD)"];
  }
  return ["it refuses the credentials", `correct ${anyLogin}`];
}

const anyLogin = "username and password, or token (MLFLOW_TRACKING_USERNAME, _PASSWORD, _TOKEN)";

const isWriting = /\/(create|update|delete|restore|alias|log-\w+|set-[\w-]+)$/;

function mendOf(words: string, other: string): string {
  const isWorkspace = /^workspace\b/i.test(words);
  return isWorkspace ? "correct workspace (MLFLOW_WORKSPACE), mlmon doctor lists those there are" : other;
}

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
