import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Point } from "./judge.ts";

/** A Pramathus that takes everything; it does not check credentials, and never fails. */
export interface PramathusReceiver {
  readonly url: string;
  readonly bodies: readonly string[];
  points(): readonly Point[];
  stop(): Promise<void>;
}

interface Metric {
  readonly name: string;
  readonly value: number | null;
  readonly timestamp: number;
  readonly metadata: { readonly run_id: string; readonly step: number };
}

/** Starts one on a free loopback port; it takes `delayMs` to answer what it has stored. */
export async function startPramathus(delayMs = 0): Promise<PramathusReceiver> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.push(Buffer.concat(chunks).toString("utf8"));
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api/metrics`,
    bodies,
    points: () => bodies.flatMap((body) => (JSON.parse(body).metrics as Metric[]).map(pointOf)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pointOf({ name, value, timestamp, metadata }: Metric): Point {
  return { run: metadata.run_id, key: name, value: String(value), time: timestamp, step: metadata.step };
}
