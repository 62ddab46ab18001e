import type { Journal } from "../journal/journal.ts";
import { UsageError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { messageOf } from "../model/message-of.ts";
import type { Secret } from "../model/secret.ts";
import { changeQueue, type QueueChange } from "../queue/change.ts";
import { announce, createKey } from "../queue/control.ts";
import { reportQueue } from "../queue/report.ts";
import type { Queue } from "../server/queue-routes.ts";
import { reachableUrl } from "../server/reachable.ts";
import type { Pipeline } from "./pipeline.ts";

const messages: Readonly<Record<QueueChange, string>> = {
  replay: "Dead letters are delivered again",
  drop: "Dead letters were dropped by hand",
  "drop-waiting": "What waits for a sink is dropped by hand",
};

/** How commands reach the queue of this process. */
export interface QueueDoor {
  readonly queue: Queue;
  readonly key: Secret;
  /** Says in the state folder where the server listens; returns what takes that back. */
  open(stateDir: string, url: string): () => void;
}

/** What the queue of a running mlmon is shown and changed by. */
export interface QueueDoorOptions {
  readonly journal: Journal;
  readonly pipeline: Pipeline;
  readonly log: Log;
  readonly startedAt: number;
  readonly now: () => number;
}

/** Makes the door of a service; called once, before its server listens. */
export function createQueueDoor({ journal, pipeline, log, startedAt, now }: QueueDoorOptions): QueueDoor {
  const { key, text } = createKey();
  async function pass(sink: string, position: number): Promise<void> {
    if (pipeline.dropWaiting(sink, position)) return;
    throw new UsageError(
      `Cannot drop what waits for the sink "${sink}": it takes the latest values, and holds up nothing`,
    );
  }
  return {
    key,
    queue: {
      report: () =>
        reportQueue(journal, {
          now: now(),
          startedAt,
          states: new Map(pipeline.sinks.map(({ id, status }) => [id, status])),
        }),
      async change(change, filter) {
        const counts = await changeQueue(journal, change, filter, pass);
        for (const { sink, reason, samples } of counts) {
          const message = messages[change];
          log.info(message, { sink, reason, samples });
        }
        return counts;
      },
    },
    open(stateDir, url) {
      const { hostname, port } = new URL(url);
      const host = hostname.replace(/^\[(.*)\]$/, "$1");
      try {
        return announce(stateDir, { url: reachableUrl({ host, port: Number(port) || 80 }), key: text, startedAt });
      } catch (error) {
        const reason = messageOf(error);
        log.warn("mlmon queue cannot change anything while mlmon runs", { reason });
        return () => {};
      }
    },
  };
}
