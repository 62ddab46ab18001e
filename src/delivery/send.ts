import { ofetch } from "ofetch";
import { describeFailure } from "../model/failure.ts";
import type { HttpRequest } from "../model/http-request.ts";
import { maskSecrets } from "../model/secret.ts";
import { asSent, decodedBody } from "../runtime/as-sent.ts";
import { startDeadline } from "./deadline.ts";
import { originOf } from "./origin.ts";
import { prepare } from "./prepare.ts";

/** Sends one request and says what came back; never throws for anything that the other side has done. */
export type Send = (request: HttpRequest, options: SendOptions) => Promise<Sent>;

/** The bounds of one exchange. */
export interface SendOptions {
  /** Covers the whole exchange, the body of the answer too. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** An answer with its body already read (64 KiB at most, secrets masked), or why there is none. */
export type Sent =
  | { readonly kind: "answered"; readonly response: Response }
  /** The reason ends with the host; path and query may hold secrets. */
  | { readonly kind: "failed"; readonly reason: string }
  /** A secret cannot be read: nothing was sent, and someone must set it. */
  | { readonly kind: "unset"; readonly reason: string }
  /** No HTTP request can be made of it: a bug of what rendered it. */
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "stopped" };

/** Makes the one sender of the process. Secrets are revealed here and nowhere else; redirects are not followed. */
export function createSender({ version }: { readonly version: string }): Send {
  return async function send(request, { timeoutMs, signal }) {
    const prepared = prepare(request, version);
    if ("kind" in prepared) return prepared;
    const deadline = startDeadline(signal, timeoutMs);
    const place = originOf(prepared.url);
    try {
      // Not ofetch's own timeout, which is ignored beside a signal; not its retry, which knows no outcome.
      const response = await ofetch.raw(prepared.url, {
        ...prepared.init,
        ...asSent,
        retry: false,
        ignoreResponseError: true,
        responseType: "stream",
        signal: deadline.signal,
      });
      const body = response.body ?? response._data;
      const text = body ? await readSome(decodedBody(body, response.headers), deadline.signal) : "";
      if (response.status < 200 || response.status > 599) {
        return { kind: "failed", reason: `the receiver answers with status ${response.status}, which HTTP has not` };
      }
      const answer = new Response(withoutBody(response.status) ? null : maskSecrets(text), {
        status: response.status,
        headers: response.headers,
      });
      return { kind: "answered", response: answer };
    } catch (error) {
      if (signal.aborted) return { kind: "stopped" };
      if (deadline.passed()) return { kind: "failed", reason: `no answer within ${timeoutMs / 1000} s (${place})` };
      return { kind: "failed", reason: `${describeFailure(error)} (${place})` };
    } finally {
      deadline.clear();
    }
  };
}

const maxAnswerBytes = 64 * 1024;

/** A receiver may answer gigabytes: what is beyond the limit is never read. */
async function readSome(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> {
  const reader = body.getReader();
  const abort = () => reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  // Not the chunks themselves: in Deno each lies in 64 KiB of its own, however short it is.
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  try {
    while (bytes < maxAnswerBytes) {
      const { done, value } = await reader.read();
      if (signal.aborted) throw signal.reason;
      if (done) break;
      text += decoder.decode(value.subarray(0, maxAnswerBytes - bytes), { stream: true });
      bytes += value.length;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    await reader.cancel().catch(() => undefined);
  }
  return text + decoder.decode();
}

/** Statuses that a `Response` cannot be made of with a body. */
function withoutBody(status: number): boolean {
  return [101, 103, 204, 205, 304].includes(status);
}
