import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** A request as a scripted server or the proxy has seen it. */
export interface Seen {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface LocalServer {
  readonly url: string;
  readonly seen: Seen[];
  close(): void;
}

/** A server whose answers a function writes; it keeps what it has seen. */
export async function localServer(
  answer: (request: Seen, response: ServerResponse) => void | Promise<void>,
): Promise<LocalServer> {
  const seen: Seen[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk);
    } catch {
      // The client has left amid its request.
      return;
    }
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
    seen.push(request);
    await answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Passes everything on to a real server, after `before` each. */
export function countingProxy(
  target: string,
  before: (request: Seen) => Promise<void> = async () => {},
): Promise<LocalServer> {
  return localServer(async (request, response) => {
    await before(request);
    const { method, path, headers, body } = request;
    const passed = ["content-type", "authorization", "x-mlflow-workspace"].flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    });
    const answer = await fetch(`${target}${path}`, {
      method,
      headers: Object.fromEntries(passed),
      ...(method === "POST" && { body }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const kept = ["content-type", "date"].map((name) => [name, answer.headers.get(name) ?? ""] as const);
    response.writeHead(answer.status, Object.fromEntries(kept)).end(bytes);
  });
}
