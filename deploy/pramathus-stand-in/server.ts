/**
 * A receiver in place of Pramathus: takes what mlmon sends, counts it, and shows the newest values at `/`.
 * It asks for the bearer token in PRAMATHUS_API_KEY and keeps nothing beyond its end. `server.ts health` asks a running one.
 */
import { createServer, type IncomingMessage } from "node:http";
import process from "node:process";

const port = 8080;

if (process.argv[2] === "health") {
  const answer = await fetch(`http://127.0.0.1:${port}/-/healthy`).catch(() => undefined);
  process.exit(answer?.ok ? 0 : 1);
}

const expected = `Bearer ${process.env.PRAMATHUS_API_KEY ?? ""}`;
const latest = new Map<string, { value: unknown; time: number }>();
let points = 0;
let requests = 0;

const server = createServer(async (request, response) => {
  const answer = (status: number, body: string | object = "") => {
    response.writeHead(status, { "content-type": typeof body === "string" ? "text/plain" : "application/json" });
    response.end(typeof body === "string" ? body : `${JSON.stringify(body, undefined, 2)}\n`);
  };
  if (request.method === "GET" && request.url === "/-/healthy") return answer(200, "healthy\n");
  if (request.method === "GET" && request.url === "/") {
    return answer(200, { requests, points, latest: Object.fromEntries(latest) });
  }
  if (request.method !== "POST" || request.url !== "/api/metrics") return answer(404, "POST /api/metrics\n");
  if (request.headers.authorization !== expected) return answer(401, "unknown API key\n");
  try {
    const { metrics } = JSON.parse(await text(request));
    for (const { name, value, timestamp, metadata } of metrics) {
      const key = `${metadata.experiment_name} ${metadata.run_id} ${name}`;
      const last = latest.get(key);
      if (!last || last.time <= timestamp) latest.set(key, { value, time: timestamp });
    }
    requests += 1;
    points += metrics.length;
    return answer(200, { accepted: metrics.length });
  } catch {
    return answer(400, "expected { timestamp, source, metrics: [{ name, value, timestamp, metadata }] }\n");
  }
});

server.listen(port, "0.0.0.0", () => console.log(`Pramathus stand-in listens on ${port}`));
process.once("SIGTERM", () => process.exit(0));

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
