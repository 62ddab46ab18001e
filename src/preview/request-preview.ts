import { Buffer } from "node:buffer";
import { loginOf, withoutLogin } from "../model/login.ts";
import { maskSecrets } from "../model/secret.ts";
import type { RequestPreview } from "./preview.ts";

/** Shows any sink's request: one shaped like an HTTP request as it is, another one as JSON in the body. */
export function previewRequest(request: unknown): RequestPreview {
  if (!isRequestLike(request))
    return { method: "", url: "", headers: {}, body: JSON.stringify(request), encoding: "utf8" };
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  const login = url && loginOf(url);
  const headers = { ...(login && { authorization: login }), ...request.headers };
  return {
    method: request.method,
    url: maskSecrets(url ? withoutLogin(url) : request.url),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    ...previewBody(request.body),
  };
}

/** The bytes of a request's body, as they would be sent. */
export function bodyBytes(request: RequestPreview): Uint8Array {
  return Buffer.from(request.body, request.encoding);
}

interface RequestLike {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string | Uint8Array;
}

function isRequestLike(request: unknown): request is RequestLike {
  if (typeof request !== "object" || request === null) return false;
  return (
    "method" in request && typeof request.method === "string" && "url" in request && typeof request.url === "string"
  );
}

function previewBody(body: string | Uint8Array | undefined): Pick<RequestPreview, "body" | "encoding"> {
  if (body === undefined) return { body: "", encoding: "utf8" };
  if (typeof body === "string") return { body, encoding: "utf8" };
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body), encoding: "utf8" };
  } catch {
    return { body: Buffer.from(body).toString("base64"), encoding: "base64" };
  }
}
