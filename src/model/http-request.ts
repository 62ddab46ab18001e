import type { Secret } from "./secret.ts";

/** One HTTP request, complete: what `render` returns, `dry-run` prints and the sender sends, byte for byte. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute; a user and password in it are sent as `Authorization` and never shown. */
  readonly url: string;
  /** A secret stands for its value, which only the sender sees. HTTP takes no letters beyond Latin-1 in a value. */
  readonly headers?: Readonly<Record<string, string | Secret>>;
  readonly body?: string | Uint8Array;
}
