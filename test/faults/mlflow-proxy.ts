import { Buffer } from "node:buffer";
import { createServer, type Server, type ServerResponse } from "node:http";

/** What stands between mlmon and MLflow: passes everything on, until a scenario writes other answers. */
export interface MlflowProxy {
  readonly url: string;
  /** Requests that were not simply passed on, since the script was set. */
  readonly troubled: number;
  /** Follows this script from the next request on; nothing heals it. */
  follow(script?: ProxyScript): void;
  /** Stops listening and breaks all connections, as an MLflow that has stopped. */
  close(): Promise<void>;
  /** Listens again on the same port. */
  open(): Promise<void>;
  /** Passes on to another server. */
  aim(target: string): void;
}

/** Gives another answer than MLflow; nothing means that its own is passed on. */
export type ProxyScript = (asked: Asked, real: () => Promise<RealAnswer>) => Awaitable<ProxyAct | undefined>;

/** A request of mlmon. */
export interface Asked {
  /** With the query. */
  readonly path: string;
  readonly body: string;
}

/** An answer instead of MLflow's, or what is done with the connection. */
export type ProxyAct = { readonly status: number; readonly type?: string; readonly body: string } | "cut" | "hang";

export interface RealAnswer {
  readonly status: number;
  readonly body: string;
}

type Awaitable<T> = T | Promise<T>;

/** Starts one on a free loopback port. `shiftMs` is added to the `Date` of each answer. */
export async function startProxy(first: string, shiftMs: () => number = () => 0): Promise<MlflowProxy> {
  let target = first;
  let script: ProxyScript = () => undefined;
  let troubled = 0;
  let port = 0;
  let server: Server | undefined;

  async function answer(method: string, path: string, body: Buffer, response: ServerResponse): Promise<void> {
    const forward = () =>
      fetch(`${target}${path}`, {
        method,
        ...(method === "POST" && { body: new Uint8Array(body), headers: { "content-type": "application/json" } }),
      });
    const real = async () => {
      const found = await forward();
      return { status: found.status, body: await found.text() };
    };
    const act = await script({ path, body: body.toString() }, real);
    if (act) troubled += 1;
    if (act === "hang") return;
    if (act === "cut") {
      response.destroy();
      return;
    }
    const date = new Date(Date.now() + shiftMs()).toUTCString();
    if (act) {
      response.writeHead(act.status, { "content-type": act.type ?? "application/json", date }).end(act.body);
      return;
    }
    const found = await forward();
    const bytes = Buffer.from(await found.arrayBuffer());
    response.writeHead(found.status, { "content-type": found.headers.get("content-type") ?? "", date }).end(bytes);
  }

  async function open(): Promise<void> {
    const fresh = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      // MLflow itself may be away: then the connection breaks, as it would without a proxy.
      await answer(request.method ?? "GET", request.url ?? "/", Buffer.concat(chunks), response).catch(() =>
        response.destroy(),
      );
    });
    server = fresh;
    await new Promise<void>((resolve, reject) => fresh.once("error", reject).listen(port, "127.0.0.1", resolve));
    const address = fresh.address();
    if (typeof address === "object" && address) port = address.port;
  }

  await open();
  return {
    url: `http://127.0.0.1:${port}`,
    get troubled() {
      return troubled;
    },
    follow(next = () => undefined) {
      script = next;
      troubled = 0;
    },
    open,
    async close() {
      const closing = server;
      server = undefined;
      if (!closing) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeAllConnections();
      await closed;
    },
    aim(next) {
      target = next;
    },
  };
}
