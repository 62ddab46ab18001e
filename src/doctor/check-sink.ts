import type { ResolvedSink } from "../config/resolved.ts";
import { classify } from "../delivery/classify.ts";
import type { Send } from "../delivery/send.ts";
import type { HttpRequest } from "../model/http-request.ts";
import type { Inspection } from "../model/inspection.ts";
import { Secret, secretProblem } from "../model/secret.ts";

/** Sends a sink's `check` request, which leaves no data behind, and reads the answer as its worker would. */
export async function checkSink({ create, host }: ResolvedSink, send: Send, signal: AbortSignal): Promise<Inspection> {
  const { transport, sink } = create();
  if (transport !== "http") return { facts: [["not checked", "it sends nothing over HTTP"]], problems: [] };
  if (!sink.check) return { facts: [["not checked", "its plugin offers no check()"]], problems: [] };
  const request = sink.check();
  const facts: Inspection["facts"] = [["asked", `${request.method} ${address(request.url)}`]];
  const unset = unsetSecret(request);
  if (unset) return { facts, problems: [{ message: unset, mend: "then check again", fatal: true }] };
  const sent = await send(request, { timeoutMs: Math.min(host.timeout ?? maxWaitMs, maxWaitMs), signal });
  if (sent.kind !== "answered") {
    const message = sent.kind === "stopped" ? "stopped before an answer came" : sent.reason;
    const mend = message.startsWith("TLS: ") ? certificateMend : "check the endpoint of this sink and whether it runs";
    return { facts, problems: [{ message, mend, fatal: true }] };
  }
  const outcome = await (sink.classify ? sink.classify(sent.response) : classify(sent.response));
  if (outcome.kind === "delivered")
    return { facts: [...facts, ["answer", String(sent.response.status)]], problems: [] };
  const mend = outcome.kind === "retry" ? "wait until the receiver is well" : "mend what the receiver says";
  return { facts, problems: [{ message: outcome.reason, mend, fatal: true }] };
}

/** The variable is that of the runtime: a sink has no options of its own for TLS. */
const certificateMend =
  "give the receiver a certificate for this host name, or trust its authority: NODE_EXTRA_CA_CERTS=FILE (PEM)";

/** Nobody at a terminal waits longer. */
const maxWaitMs = 15_000;

/** Without the user part and the query, which may hold secrets. */
function address(text: string): string {
  if (!URL.canParse(text)) return text.split("?")[0] ?? "";
  const { origin, pathname } = new URL(text);
  return origin + pathname;
}

function unsetSecret({ headers = {} }: HttpRequest): string | undefined {
  for (const value of Object.values(headers)) {
    const problem = value instanceof Secret ? secretProblem(value) : undefined;
    if (problem) return problem;
  }
  return undefined;
}
