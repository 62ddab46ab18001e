import type { ResolvedConfig } from "../config/resolved.ts";
import type { Send } from "../delivery/send.ts";
import { WorkError } from "../model/errors.ts";
import type { Inspection } from "../model/inspection.ts";
import { serve } from "../runtime/serve.ts";
import { reachableUrl } from "../server/reachable.ts";

/** Listens for a moment where the status server would; a port that a running mlmon has is as it should be. */
export async function checkListen(
  { host, port }: ResolvedConfig["server"],
  send: Send,
  signal: AbortSignal,
): Promise<Inspection> {
  const shown = host.includes(":") ? `[${host}]` : host;
  const address = ["address", `${shown}:${port}`] as const;
  try {
    const served = await serve(() => new Response(), { hostname: host, port });
    await served.stop();
    return { facts: [address], problems: [] };
  } catch (error) {
    if (!(error instanceof WorkError)) throw error;
    if (await isMlmon(`${reachableUrl({ host, port })}/-/healthy`, send, signal))
      return { facts: [address, ["in use", "by an mlmon that runs already"]], problems: [] };
    const mend = "stop what listens there, or choose another address";
    return { facts: [address], problems: [{ message: error.message, mend, fatal: true }] };
  }
}

async function isMlmon(url: string, send: Send, signal: AbortSignal): Promise<boolean> {
  const sent = await send({ method: "GET", url }, { timeoutMs: 2000, signal });
  return sent.kind === "answered" && (await sent.response.text()) === "healthy\n";
}
