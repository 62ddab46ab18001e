import { Buffer } from "node:buffer";
import { ConfigError } from "../model/errors.ts";
import type { HttpRequest } from "../model/http-request.ts";
import { Secret, secret } from "../model/secret.ts";

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
  if (!URL.canParse(request.url) || !/^https?:/i.test(request.url)) return malformed("its address is no http:// URL");
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(method)) return malformed("its method is no HTTP method");
  if (body !== undefined && /^(GET|HEAD)$/i.test(method)) return malformed(`${method} carries no body`);
  const url = new URL(request.url);
  const headers = new Headers({ "user-agent": `mlmon/${version}` });
  try {
    if (url.username !== "" || url.password !== "") headers.set("authorization", takeLogin(url));
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      const isSecret = value instanceof Secret;
      if (setHeader(headers, name, isSecret ? Secret.reveal(value) : value)) continue;
      if (!isSecret) return malformed(`no header can be made of "${name}"`);
      return { kind: "unset", reason: `The secret "${value.name}" holds a character that no header can carry` };
    }
  } catch (error) {
    if (error instanceof ConfigError) return { kind: "unset", reason: error.message };
    throw error;
  }
  // As bytes: of a text, fetch and ofetch would each make up a content type that no preview shows.
  const bytes = typeof body === "string" ? Buffer.from(body) : body && new Uint8Array(body);
  const init = { method, headers, redirect: "manual" } as const;
  return { url: url.href, init: bytes ? { ...init, body: bytes } : init };
}

function malformed(reason: string): Unsendable {
  return { kind: "malformed", reason };
}

/** Takes user and password out of an address and returns them as a header; the password is masked from here on. */
function takeLogin(url: URL): string {
  const [user, password] = [decoded(url.username), decoded(url.password)];
  url.username = "";
  url.password = "";
  return password === ""
    ? `Basic ${Buffer.from(`${user}:`).toString("base64")}`
    : Secret.reveal(secret.basic(user, secret.literal("password in the address", password)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns false for a name or value that HTTP does not know; the runtimes' own errors print the value. */
function setHeader(headers: Headers, name: string, value: string): boolean {
  try {
    headers.set(name, value);
    return true;
  } catch {
    return false;
  }
}
