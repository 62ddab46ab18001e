import { Buffer } from "node:buffer";
import { type Context, Hono } from "hono";
import { readPushedPage } from "./pushed-page.ts";

/** One pushed group. */
export interface PushedGroup {
  /** As in the path: `job="mlflow_metrics"`, … */
  readonly labels: string;
  readonly series: number;
  readonly types: ReadonlyMap<string, string>;
}

/** A Pushgateway that keeps what each group holds, not its values. */
export interface PushgatewayReceiver {
  readonly app: Hono;
  readonly counts: { pushes: number; deletes: number; refused: number };
  /** By their labels. */
  readonly groups: ReadonlyMap<string, PushedGroup>;
}

/**
 * Makes a receiver of PUT and DELETE of groups below `/metrics/job/…` that refuses what a Pushgateway 1.11 does: a wrong
 * path, a page it cannot read, a type that another group contradicts. It knows no POST and serves no scrape.
 */
export function createPushgatewayReceiver(): PushgatewayReceiver {
  const app = new Hono();
  const groups = new Map<string, PushedGroup>();
  const counts = { pushes: 0, deletes: 0, refused: 0 };

  function refuse(c: Context, reason: string): Response {
    counts.refused += 1;
    return c.text(`${reason}\n`, 400);
  }

  app.on("PUT", paths, async (c) => {
    const labels = readPath(new URL(c.req.url).pathname);
    if (labels === undefined) return refuse(c, wrongPath);
    const page = readPushedPage(await c.req.text());
    if (page.kind === "refused") return refuse(c, page.reason);
    for (const other of groups.values()) {
      if (other.labels === labels) continue;
      const clash = [...page.types].find(([name, type]) => (other.types.get(name) ?? type) !== type);
      if (clash) return refuse(c, `pushed metric "${clash[0]}" has another type in the group {${other.labels}}`);
    }
    groups.set(labels, { labels, series: page.series, types: page.types });
    counts.pushes += 1;
    return c.body(null, 200);
  });

  app.on("DELETE", paths, (c) => {
    const labels = readPath(new URL(c.req.url).pathname);
    if (labels === undefined) return refuse(c, wrongPath);
    groups.delete(labels);
    counts.deletes += 1;
    return c.body(null, 202);
  });

  app.get("/api/v1/status", (c) => c.json({ status: "success", data: { build_information: { version: "demo" } } }));
  return { app, counts, groups };
}

const paths = ["/metrics/job/:job/*", "/metrics/job@base64/:job/*"];
const wrongPath = "odd number of components in label string, or an invalid value";

/** The labels of a group in one order, or nothing when the path names none. */
function readPath(path: string): string | undefined {
  const parts = path.split("/").slice(2);
  if (parts.length % 2 !== 0) return undefined;
  const labels = new Map<string, string>();
  for (let index = 0; index < parts.length; index += 2) {
    const name = parts[index] ?? "";
    const value = decode(name, parts[index + 1] ?? "");
    if (value === undefined) return undefined;
    labels.set(name.replace(/@base64$/, ""), value);
  }
  if (!labels.get("job")) return undefined;
  return [...labels]
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .sort()
    .join(", ");
}

/** A `/` within a value is refused even when it is escaped; such a value goes in base64. */
function decode(name: string, segment: string): string | undefined {
  if (name.endsWith("@base64")) return Buffer.from(segment, "base64url").toString("utf8");
  try {
    const value = decodeURIComponent(segment);
    return value === "" || value.includes("/") ? undefined : value;
  } catch {
    return undefined;
  }
}
