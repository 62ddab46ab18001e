import process from "node:process";
import type { ArgsDef } from "citty";
import type { ResolvedConfig } from "../config/resolved.ts";
import { createSender } from "../delivery/send.ts";
import type { DeadCount } from "../journal/dead-queue.ts";
import { plural } from "../model/plural.ts";
import { type FolderQueue, openFolderQueue } from "../queue/open.ts";
import { version } from "../runtime/version.ts";

/** Flags that name dead letters. */
export const sinkArg = {
  sink: { type: "string", description: "Only this sink; all by default", valueHint: "ID" },
} as const satisfies ArgsDef;

/** The flag that chooses dead letters by why they were refused. */
export const reasonArg = {
  reason: {
    type: "string",
    description: "Only this reason, such as http_400, or a part of the receiver's words",
    valueHint: "REASON",
  },
} as const satisfies ArgsDef;

/** What opens the queue of the state folder that a command means; a configuration is loaded only to find it. */
export async function commandQueue({
  args,
  config,
  signal,
}: {
  readonly args: { readonly state?: string | undefined };
  readonly config: (secrets: "ignore") => Promise<ResolvedConfig>;
  readonly signal: AbortSignal;
}): Promise<FolderQueue> {
  const dir = args.state || process.env.MLMON_STATE_DIR?.trim() || (await config("ignore")).stateDir || ".mlmon";
  return openFolderQueue(dir, { send: createSender({ version }), signal });
}

/** `12 samples: pramathus http_400 12` */
export function describeCounts(counts: readonly DeadCount[]): string {
  const samples = counts.reduce((sum, count) => sum + count.samples, 0);
  const parts = counts.map((count) => `${count.sink} ${count.reason} ${count.samples}`);
  return `${plural(samples, "sample")}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`;
}
