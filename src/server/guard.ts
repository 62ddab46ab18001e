import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { isLoopback } from "../config/listen.ts";
import { Secret } from "../model/secret.ts";

/** Paths that answer without the token: probes have none. */
const openPaths = new Set(["/-/healthy", "/-/ready"]);

/**
 * Asks for the token, as `Authorization: Bearer TOKEN` or, for a browser, as the password of Basic credentials with any
 * user name; or for `key`, which lies in the state folder for the commands that are called there.
 */
export function requireToken(token: Secret, key?: Secret): MiddlewareHandler {
  return async function requireToken(c, next) {
    if (openPaths.has(c.req.path) || hasToken(c, token, key)) return next();
    c.header("www-authenticate", 'Basic realm="mlmon"');
    return c.text(
      "Unauthorized: send the token as Authorization: Bearer TOKEN, or as the password in a browser\n",
      401,
    );
  };
}

/** Says whether a request brings the token or the key; all do when there is no token. */
export function hasToken(c: Context, token: Secret | undefined, key: Secret | undefined): boolean {
  const given = c.req.header("authorization");
  return token === undefined || (key !== undefined && matches(given, key)) || matches(given, token);
}

/**
 * Refuses names that are not this machine's own while the server listens on loopback: a page of another site could else
 * read it through a name that it points here (DNS rebinding).
 */
export function requireLocalHost(): MiddlewareHandler {
  return async function requireLocalHost(c, next) {
    const name = (c.req.header("host") ?? "localhost").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    if (isLoopback(name.toLowerCase())) return next();
    return c.text(
      "Forbidden: on loopback this server answers only to localhost, 127.0.0.1 and [::1]; see --listen\n",
      403,
    );
  };
}

/** Answers 405 to whatever would change something, but on these paths, which take POST. */
export function onlyReading(changing: readonly string[] = []): MiddlewareHandler {
  return async function onlyReading(c, next) {
    const takesPost = changing.includes(c.req.path);
    if (takesPost && c.req.method === "POST") return next();
    if (takesPost) return c.text("Method Not Allowed: this path takes POST\n", 405, { allow: "POST" });
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    return c.text("Method Not Allowed: this server is read only\n", 405, { allow: "GET, HEAD" });
  };
}

/**
 * Lets a request change something only when no page of another site can have sent it: browsers name the site, also where
 * they send along a password that they know.
 */
export function requireSameSite(): MiddlewareHandler {
  return async function requireSameSite(c, next) {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    const origin = c.req.header("origin");
    const site = c.req.header("sec-fetch-site") ?? "none";
    const isOwn = origin === undefined || hostOf(origin) === (c.req.header("host") ?? "").toLowerCase();
    if (isOwn && (site === "none" || site === "same-origin")) return next();
    return c.text("Forbidden: a page of another site may change nothing here\n", 403);
  };
}

/**
 * Without a token only those on this machine, or with `key`, may change something; that all may read is another matter.
 */
export function requireTokenToChange(token: Secret | undefined, host: string, key?: Secret): MiddlewareHandler {
  return async function requireTokenToChange(c, next) {
    if (token || isLoopback(host) || c.req.method === "GET" || c.req.method === "HEAD") return next();
    if (key && matches(c.req.header("authorization"), key)) return next();
    return c.text("Forbidden: this needs a token; set server.token or the variable MLMON_TOKEN\n", 403);
  };
}

/** Headers for a page without scripts, whose one style sheet is inline. */
export function securityHeaders(styleHash: string): MiddlewareHandler {
  return async function securityHeaders(c, next) {
    await next();
    c.header(
      "content-security-policy",
      `default-src 'none'; style-src '${styleHash}'; frame-ancestors 'none'; base-uri 'none'`,
    );
    c.header("x-content-type-options", "nosniff");
    c.header("x-frame-options", "DENY");
    c.header("referrer-policy", "no-referrer");
    if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
  };
}

/** Digests have one length, so that the time tells nothing about the token. */
function matches(header: string | undefined, token: Secret): boolean {
  const given = credential(header);
  return given !== undefined && timingSafeEqual(digest(given), digest(Secret.reveal(token)));
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function credential(header: string | undefined): string | undefined {
  const [scheme = "", value] = (header ?? "").split(/ +(.*)/s);
  if (value === undefined) return undefined;
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const login = Buffer.from(value, "base64").toString("utf8");
  return login.slice(login.indexOf(":") + 1);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
