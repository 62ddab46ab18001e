import { Buffer } from "node:buffer";
import { ConfigError } from "../model/errors.ts";
import type { HttpRequest } from "../model/http-request.ts";
import { loginOf, withoutLogin } from "../model/login.ts";
import { Secret } from "../model/secret.ts";
import { isHeader, malformed } from "./malformed.ts";

/** What `fetch` takes: secrets revealed, no user part in the address, the body as bytes. */
export interface Prepared {
  readonly url: string;
  readonly init: {
    readonly method: string;
    readonly headers: Headers;
    readonly body?: Uint8Array<ArrayBuffer>;
    readonly redirect: "manual";
  };
}

/** Why nothing can be sent, in words that hold nothing of the request but names. */
export interface Unsendable {
  readonly kind: "malformed" | "unset";
  readonly reason: string;
}

/** Makes a rendered request ready to be sent; called by the sender for every request. */
export function prepare(request: HttpRequest, version: string): Prepared | Unsendable {
  const { method, body } = request;
  const flaw = malformed(request);
  if (flaw !== undefined) return { kind: "malformed", reason: flaw };
  const url = new URL(request.url);
  const headers = new Headers({ "user-agent": `mlmon/${version}` });
  try {
    const login = loginOf(url);
    for (const [name, value] of Object.entries({ ...(login && { authorization: login }), ...request.headers })) {
      headers.set(name, value instanceof Secret ? revealed(value) : value);
    }
  } catch (error) {
    if (error instanceof ConfigError) return { kind: "unset", reason: error.message };
    throw error;
  }
  // As bytes: of a text, fetch and ofetch would each make up a content type that no preview shows.
  const bytes = typeof body === "string" ? Buffer.from(body) : body && new Uint8Array(body);
  const init = { method, headers, redirect: "manual" } as const;
  return { url: withoutLogin(url), init: bytes ? { ...init, body: bytes } : init };
}

function revealed(secret: Secret): string {
  const value = Secret.reveal(secret);
  if (isHeader("authorization", value)) return value;
  throw new ConfigError(`The secret "${secret.name}" holds a character that no header can carry`);
}
