import type { SinkEntry } from "../../src/model/define.ts";
import type { HttpRequest } from "../../src/model/http-request.ts";
import { silentLog } from "../../src/model/log.ts";
import type { Outcome } from "../../src/model/outcome.ts";
import { Secret } from "../../src/model/secret.ts";
import type { HttpSink, Sink, SinkContext } from "../../src/model/sink.ts";

/** Makes the sink of an entry over HTTP, as the host would; throws the issues' messages when its options are wrong. */
export function httpSink(entry: SinkEntry): HttpSink {
  const made = create(entry);
  if (made.transport !== "http") throw new Error("not over HTTP");
  return made.sink;
}

/** Makes the sink of an entry that delivers by itself. */
export function ownSink(entry: SinkEntry): Sink<unknown> {
  const made = create(entry);
  if (made.transport !== "own") throw new Error("over HTTP");
  return made.sink;
}

/** Sends a request as the host's sender would, without its retries. */
export async function send(sink: HttpSink, { method, url, headers, body }: HttpRequest): Promise<Outcome | undefined> {
  const revealed = Object.entries(headers ?? {}).map(([name, value]): [string, string] => [
    name,
    value instanceof Secret ? Secret.reveal(value) : value,
  ]);
  const response = await fetch(url, {
    method,
    headers: revealed,
    ...(body !== undefined && { body: typeof body === "string" ? body : new Uint8Array(body) }),
  });
  return sink.classify?.(response);
}

/** What the host lends to a sink, with the text of mlmon's own series. */
export function sinkContext(own: string): SinkContext {
  return {
    log: silentLog,
    now: Date.now,
    signal: new AbortController().signal,
    state: { get: () => undefined, set() {}, delete() {}, scan: () => [] },
    ownMetrics: async () => own,
  };
}

function create(entry: SinkEntry) {
  const prepared = entry.prepare();
  if (!prepared.ok) throw new Error(prepared.issues.map(({ message }) => message).join("; "));
  return prepared.create();
}
