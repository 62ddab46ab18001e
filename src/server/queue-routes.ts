import type { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as v from "valibot";
import type { DeadCount, DeadFilter } from "../journal/dead-queue.ts";
import { UsageError, WorkError } from "../model/errors.ts";
import { deadFilter, type QueueChange, queueChanges } from "../queue/change.ts";
import type { QueueReport } from "../queue/report.ts";

/** The queue of a running mlmon, as its API shows and changes it. */
export interface Queue {
  report(): QueueReport;
  /** Throws `UsageError` for a sink that is not known, `WorkError` when the journal cannot be written. */
  change(change: QueueChange, filter: DeadFilter): Promise<readonly DeadCount[]>;
}

/** The paths that change something, for the guard. */
export const queuePaths: readonly string[] = queueChanges.map((change) => `/api/v1/queue/${change}`);

const maxBodyBytes = 16 * 1024;

/** Adds the routes of the queue; a change takes its filter as JSON, `{}` for all, and answers with what it was. */
export function mountQueue(app: Hono, queue: Queue): void {
  app.get("/api/v1/queue", (c) => c.json(queue.report()));
  const limit = bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.text("Content Too Large\n", 413) });
  for (const change of queueChanges) {
    app.post(`/api/v1/queue/${change}`, limit, async (c) => {
      const filter = v.safeParse(deadFilter, await c.req.json().catch(() => undefined));
      if (!filter.success) {
        return c.text('Bad Request: expected JSON such as {"sink": "ID", "reason": "http_400"}, or {} for all\n', 400);
      }
      try {
        return c.json({ changed: await queue.change(change, filter.output) });
      } catch (error) {
        if (error instanceof UsageError) return c.text(`${error.message}\n`, 400);
        if (error instanceof WorkError) return c.text(`${error.message}\n`, 503);
        throw error;
      }
    });
  }
}
