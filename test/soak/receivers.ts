import { createServer } from "node:http";

/** Receivers that take everything and keep nothing but counts. */
export interface NullReceivers {
  /** Where both are: Pramathus at `/api/metrics`, the Pushgateway at `/metrics/…`. */
  readonly url: string;
  /** Samples that the Pramathus receiver was sent. */
  samples(): number;
  stop(): Promise<void>;
}

/** Starts them on a free loopback port. */
export async function startNullReceivers(): Promise<NullReceivers> {
  let samples = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const isPoints = request.url?.startsWith("/api/metrics") ?? false;
    request.on("data", (chunk: Buffer) => {
      if (isPoints) chunks.push(chunk);
    });
    request.on("end", () => {
      if (isPoints) samples += Buffer.concat(chunks).toString("latin1").split('"metadata":').length - 1;
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    samples: () => samples,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
