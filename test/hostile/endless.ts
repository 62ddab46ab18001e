import { createServer, type ServerResponse } from "node:http";
import { constants, deflateRawSync } from "node:zlib";

/** What a server pours out until the other side has had enough. */
export type Flow = "short pieces" | "zeros" | "spaces" | "html" | "objects" | "gzip of zeros";

export interface EndlessServer {
  /** Answers `/FLOW/STATUS` and whatever lies below it; the path may also begin with something else. */
  readonly url: (flow: Flow, status: number) => string;
  /** Bytes that the system took from it, for all requests. */
  sent(): number;
  stop(): void;
}

/** Starts a server whose answers never end; each is poured as fast as it is read. */
export async function startEndless(): Promise<EndlessServer> {
  let sent = 0;
  const server = createServer((request, response) => {
    request.resume();
    const [, flow = "", status = ""] = decodeURIComponent(request.url ?? "").split("/");
    const [head, chunk] = flows[flow] ?? pieces;
    const type = flow === "html" ? "text/html" : "application/json";
    const encoding = flow === "gzip of zeros" ? { "content-encoding": "gzip" } : {};
    response.writeHead(Number(status) || 200, { "content-type": type, ...encoding });
    response.write(head);
    pour(response, chunk);
  });
  function pour(response: ServerResponse, chunk: Buffer): void {
    const more = () => {
      while (response.writable && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return;
      }
    };
    response.on("drain", more).on("error", () => {});
    more();
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: (flow, status) => `http://127.0.0.1:${address.port}/${encodeURIComponent(flow)}/${status}`,
    sent: () => sent,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const size = 64 * 1024;
/** A megabyte of zeros as a piece of deflate that may stand any number of times in a row: a thousandth of its size. */
const zeros = deflateRawSync(Buffer.alloc(1024 ** 2), { finishFlush: constants.Z_FULL_FLUSH });
const gzipHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

/** Sixteen bytes at a time; also what is poured under any other path. */
const pieces: readonly [head: Buffer, chunk: Buffer] = [Buffer.alloc(0), Buffer.alloc(16)];

const flows: Readonly<Record<string, readonly [head: Buffer, chunk: Buffer]>> = {
  "short pieces": pieces,
  zeros: [Buffer.alloc(0), Buffer.alloc(size)],
  spaces: [Buffer.alloc(0), Buffer.alloc(size, " ")],
  html: [Buffer.from("<!doctype html><html>"), Buffer.alloc(size, "<p>")],
  objects: [Buffer.from('{"metrics":['), Buffer.alloc(size - 1, "{},")],
  "gzip of zeros": [gzipHead, Buffer.concat(Array.from({ length: 64 }, () => zeros))],
};
