import * as v from "valibot";
import type { Send } from "../delivery/send.ts";
import type { DeadCount, DeadFilter } from "../journal/dead-queue.ts";
import { UsageError, WorkError } from "../model/errors.ts";
import { secret } from "../model/secret.ts";
import type { QueueChange } from "./change.ts";
import type { Control } from "./control.ts";
import type { QueueReport } from "./report.ts";

/** The queue of the mlmon that runs on a state folder. */
export interface RemoteQueue {
  readonly report: QueueReport;
  /** Throws `UsageError` for what the other side does not know, `WorkError` when it cannot be done. */
  change(change: QueueChange, filter: DeadFilter): Promise<readonly DeadCount[]>;
}

/** What a running mlmon is asked with. */
export interface RemoteOptions {
  readonly send: Send;
  readonly signal: AbortSignal;
}

const timeoutMs = 10_000;

/** Asks the mlmon that a state folder names; nothing when it does not answer, or is not the one that wrote it. */
export async function connectQueue(
  { url, key, startedAt }: Control,
  { send, signal }: RemoteOptions,
): Promise<RemoteQueue | undefined> {
  const headers = { authorization: secret.bearer(key) };
  async function ask(method: "GET" | "POST", path: string, body?: string): Promise<Response | undefined> {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const request = { method, url: `${url}${path}`, headers: { ...headers, ...json }, ...(body && { body }) };
    const sent = await send(request, { timeoutMs, signal });
    return sent.kind === "answered" ? sent.response : undefined;
  }
  const answer = await ask("GET", "/api/v1/queue");
  const report = answer?.ok ? v.safeParse(reportSchema, await answer.json().catch(() => undefined)) : undefined;
  if (!report?.success || report.output.startedAt !== startedAt) return undefined;
  return {
    report: report.output,
    async change(change, filter) {
      const answer = await ask("POST", `/api/v1/queue/${change}`, JSON.stringify(filter));
      if (!answer) throw new WorkError(`Cannot ${change} as the mlmon at ${url} does not answer: try again`);
      if (answer.status === 400) throw new UsageError((await answer.text()).trim());
      const counts = v.safeParse(changedSchema, await answer.json().catch(() => undefined));
      if (answer.ok && counts.success) return counts.output.changed;
      throw new WorkError(`Cannot ${change} as the mlmon at ${url} answers with ${answer.status}: see its log`);
    },
  };
}

const count = v.pipe(v.number(), v.finite());

const reportSchema = v.object({
  startedAt: v.nullable(count),
  journalBytes: count,
  sinks: v.array(
    v.object({
      id: v.string(),
      state: v.picklist(["idle", "delivering", "retrying", "paused", "stopped"]),
      lastError: v.nullable(v.string()),
      waiting: count,
      bytes: count,
      oldestSeconds: v.nullable(count),
      replaying: count,
      deadLetters: v.record(v.string(), count),
    }),
  ),
});

const counts = v.array(
  v.object({
    sink: v.string(),
    reason: v.string(),
    letters: count,
    samples: count,
    bytes: count,
  }),
);

const changedSchema = v.object({ changed: counts });
