import { Hono } from "hono";
import * as v from "valibot";

/** A Pramathus that keeps counts and the newest values. */
export interface PramathusReceiver {
  readonly app: Hono;
  readonly counts: { samples: number; requests: number; refused: number };
  /** By experiment, run and name; the least recently delivered leave beyond 1000. */
  readonly newest: ReadonlyMap<string, { readonly value: number | string | null; readonly timestamp: number }>;
}

/**
 * Makes a receiver of `POST /api/metrics` that asks for the key as a bearer token (401) and for exactly the body of the
 * contract (400). It knows nothing of a real one's limits.
 */
export function createPramathusReceiver(apiKey: string): PramathusReceiver {
  const app = new Hono();
  const counts = { samples: 0, requests: 0, refused: 0 };
  const newest = new Map<string, { value: number | string | null; timestamp: number }>();

  app.post("/api/metrics", async (c) => {
    const parsed = v.safeParse(body, await c.req.json().catch(() => undefined));
    if (c.req.header("authorization") !== `Bearer ${apiKey}`) {
      counts.refused += 1;
      return c.text("unknown API key\n", 401);
    }
    if (!parsed.success) {
      counts.refused += 1;
      const [issue] = parsed.issues;
      return c.text(`${v.getDotPath(issue) ?? "body"}: ${issue.message}\n`, 400);
    }
    const { metrics } = parsed.output;
    counts.requests += 1;
    counts.samples += metrics.length;
    for (const { name, value, timestamp, metadata } of metrics) {
      const key = `${metadata.experiment_name} ${metadata.run_id} ${name}`;
      newest.delete(key);
      newest.set(key, { value, timestamp });
    }
    for (const key of [...newest.keys()].slice(0, Math.max(0, newest.size - maxNewest))) newest.delete(key);
    return c.json({ accepted: metrics.length });
  });

  return { app, counts, newest };
}

const maxNewest = 1000;

const body = v.strictObject({
  timestamp: v.pipe(v.number(), v.integer()),
  source: v.literal("mlflow"),
  metrics: v.array(
    v.strictObject({
      name: v.pipe(v.string(), v.nonEmpty()),
      value: v.union([v.number(), v.null(), v.picklist(["NaN", "Infinity", "-Infinity"])]),
      timestamp: v.number(),
      metadata: v.strictObject({
        run_id: v.pipe(v.string(), v.nonEmpty()),
        experiment_name: v.string(),
        step: v.number(),
        tags: v.record(v.string(), v.string()),
      }),
    }),
  ),
});
