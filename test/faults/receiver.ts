import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type Act, answerText, type Moment } from "./acts.ts";

/** One request that a receiver has stored. */
export interface Taken {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** False when the sender could not know that it was stored, so that it has to send it again. */
  readonly told: boolean;
}

/** One request as a script sees it: empty when somebody has only connected, without its body at its head. */
export interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly moment: Moment;
}

/** Decides what happens, at each moment of each request; nothing at the end means that it is taken with 200. */
export type Script = (incoming: Incoming) => Act | undefined;

/** Does the same to every request. */
export function always(act: Act): Script {
  return ({ moment }) => (act.at.includes(moment) ? act : undefined);
}

/** A receiver that follows a script of faults and writes down what it has stored. */
export interface Receiver {
  /** `http://127.0.0.1:<port>` or `https://localhost:<port>`; the same after `close` and `open`. */
  readonly url: string;
  readonly port: number;
  readonly taken: readonly Taken[];
  /** Requests that did not simply get 200, since the script was set. */
  readonly troubled: number;
  /** Follows this script from the next request on; nothing heals it. */
  follow(script?: Script): void;
  /** Stops listening and breaks all connections: connection refused. */
  close(): Promise<void>;
  /** Listens again on the same port, with this certificate if it is one for TLS. */
  open(tls?: Certificate): Promise<void>;
}

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/** Starts one on a free loopback port. It speaks HTTP/1.1 by itself, so that it can break every rule of it. */
export async function startReceiver(first?: Certificate): Promise<Receiver> {
  const taken: Taken[] = [];
  const sockets = new Set<Socket>();
  let script: Script = () => undefined;
  let troubled = 0;
  let port = 0;
  let server: Server | undefined;

  function serve(socket: Socket): void {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    if (breaksIn({ method: "", path: "", body: "", moment: "connected" }, socket)) return;
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let head = readHead(rest); head; head = readHead(rest)) {
        if (breaksIn({ ...head, body: "", moment: "head" }, socket) || rest.length < head.end) return;
        const body = rest.subarray(head.bodyAt, head.end).toString("utf8");
        rest = rest.subarray(head.end);
        if (breaksIn({ ...head, body, moment: "end" }, socket)) continue;
        taken.push({ ...head, body, told: true });
        socket.write(answerText(200, "", {}));
      }
    });
  }

  function breaksIn(incoming: Incoming, socket: Socket): boolean {
    const act = script(incoming);
    if (!act) return false;
    if (act.stores) taken.push({ ...incoming, told: act.stores === "told" });
    troubled += 1;
    act.perform(socket);
    return true;
  }

  async function open(tls?: Certificate): Promise<void> {
    const fresh = tls ? createTlsServer(tls, serve) : createServer(serve);
    server = fresh;
    fresh.on("tlsClientError", () => {
      troubled += 1;
    });
    await new Promise<void>((resolve, reject) => fresh.once("error", reject).listen(port, "127.0.0.1", resolve));
    const address = fresh.address();
    if (typeof address === "object" && address) port = address.port;
  }

  await open(first);
  return {
    url: first ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    port,
    taken,
    get troubled() {
      return troubled;
    },
    follow(next = () => undefined) {
      script = next;
      troubled = 0;
    },
    open,
    async close() {
      const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      server = undefined;
    },
  };
}

interface Head {
  readonly method: string;
  readonly path: string;
  readonly bodyAt: number;
  readonly end: number;
}

/** Reads the head of a request; nothing when it is not whole yet. */
function readHead(bytes: Buffer): Head | undefined {
  const at = bytes.indexOf("\r\n\r\n");
  if (at < 0) return undefined;
  const text = bytes.toString("latin1", 0, at);
  const [method = "", path = ""] = text.split(" ", 2);
  const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
  return { method, path, bodyAt: at + 4, end: at + 4 + length };
}
