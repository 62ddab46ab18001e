import type { ResolvedSink } from "../config/resolved.ts";
import { classify } from "../delivery/classify.ts";
import type { Send } from "../delivery/send.ts";
import type { Inspection } from "../model/inspection.ts";
import { previewRequest } from "./request-preview.ts";

/** Sends a sink's `check` request and reads the answer as its worker would; for `mlmon doctor`. */
export async function checkSink({ create, host }: ResolvedSink, send: Send, signal: AbortSignal): Promise<Inspection> {
  const { transport, sink } = create();
  if (transport !== "http" || !sink.check) {
    return { facts: [["not checked", "it sends nothing over HTTP, or offers no check"]], problems: [] };
  }
  const request = sink.check();
  const { method, url } = previewRequest(request);
  const facts: Inspection["facts"] = [["asked", `${method} ${url}`]];
  const sent = await send(request, { timeoutMs: host.timeout ?? 30_000, signal });
  if (sent.kind !== "answered") {
    const message = sent.kind === "failed" ? sent.reason : "stopped";
    return { facts, problems: [{ message, mend: "check the endpoint of this sink and whether it runs", fatal: true }] };
  }
  const outcome = await (sink.classify ? sink.classify(sent.response) : classify(sent.response));
  if (outcome.kind === "delivered") return { facts, problems: [] };
  const mend = outcome.kind === "retry" ? "wait until the receiver is well" : "mend what the receiver says";
  return { facts, problems: [{ message: outcome.reason, mend, fatal: true }] };
}
