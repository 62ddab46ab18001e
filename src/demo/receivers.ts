import { Hono } from "hono";

/** The bearer token that the demo's Pramathus asks for. */
export const demoKey = "demo-key-of-npm-start";

/** What the demo's receivers hold. */
export interface Receivers {
  readonly app: Hono;
  /** Samples that Pramathus has stored, and series that the Pushgateway holds. */
  counts(): { readonly samples: number; readonly series: number };
}

/**
 * Makes a Pramathus (`/api/metrics`) and a Pushgateway (`/metrics/job/…`) that count what they are given and refuse what
 * real ones refuse: a wrong token, a body of another shape, a timestamp, a last line without its end.
 */
export function createReceivers(): Receivers {
  const app = new Hono();
  const groups = new Map<string, number>();
  let samples = 0;

  app.post("/api/metrics", async (c) => {
    if (c.req.header("authorization") !== `Bearer ${demoKey}`) return c.text("unknown key", 401);
    const body: unknown = await c.req.json().catch(() => undefined);
    const metrics = typeof body === "object" && body !== null && "metrics" in body ? body.metrics : undefined;
    if (!Array.isArray(metrics)) return c.text("no metrics", 400);
    samples += metrics.length;
    return c.json({ accepted: metrics.length });
  });
  app.put("/metrics/job/*", async (c) => {
    const text = await c.req.text();
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    if (text !== "" && !text.endsWith("\n")) return c.text("unexpected end of input stream", 400);
    if (lines.some((line) => / \S+ \d+$/.test(line.replace(/\{.*\}/, "")))) {
      return c.text("pushed metrics must not have timestamps", 400);
    }
    groups.set(c.req.path, lines.length);
    return c.body(null, 200);
  });
  app.delete("/metrics/job/*", (c) => {
    groups.delete(c.req.path);
    return c.body(null, 202);
  });

  const series = () => [...groups.values()].reduce((sum, count) => sum + count, 0);
  return { app, counts: () => ({ samples, series: series() }) };
}
