import type { Socket } from "node:net";

/** When a receiver may break in: somebody connects, the head of a request is read, all of it is read. */
export type Moment = "connected" | "head" | "end";

/** What a scripted receiver does with one request instead of taking it. */
export interface Act {
  readonly name: string;
  /** Whether the receiver stores the request, and if so whether the sender is told. */
  readonly stores: false | "told" | "untold";
  /** The moments at which it strikes; an open connection knows no new `connected`. */
  readonly at: readonly Moment[];
  perform(socket: Socket): void;
}

/** Refuses by an answer; the body holds the words that a dead letter must show. */
export function answer(status: number, words = `refused with ${status}`, headers: Headers = {}): Act {
  const stores = status >= 200 && status < 300 && "told";
  return {
    name: `${status}`,
    stores,
    at: ["end"],
    perform: (socket) => socket.write(answerText(status, status === 204 ? "" : words, headers)),
  };
}

/** Breaks the connection as soon as somebody connects, amid the request, or when it has stored it. */
export function reset(when: "before" | "amid" | "after"): Act {
  const at: readonly Moment[] = when === "before" ? ["connected", "head"] : when === "amid" ? ["head"] : ["end"];
  return {
    name: `reset ${when}`,
    stores: when === "after" && "untold",
    at,
    perform: (socket) => socket.resetAndDestroy(),
  };
}

/** Stores, begins its answer and breaks the connection in it. */
export const resetAmidAnswer: Act = {
  name: "reset amid the answer",
  stores: "untold",
  at: ["end"],
  perform(socket) {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf", () => socket.resetAndDestroy());
  },
};

/** Reads and never answers. */
export function hang({ stores }: { readonly stores: boolean }): Act {
  return { name: "hang", stores: stores && "untold", at: ["end"], perform() {} };
}

/** Stores, and answers 200 after a while that a sink waits for. */
export function late(ms: number): Act {
  return {
    name: "late",
    stores: "told",
    at: ["end"],
    perform(socket) {
      setTimeout(() => socket.destroyed || socket.write(answerText(200, "", {})), ms);
    },
  };
}

/** Stores, and answers 200 with a body that never ends. */
export const endless: Act = {
  name: "endless body",
  stores: "untold",
  at: ["end"],
  perform(socket) {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    repeat(socket, 50, () => socket.write("4\r\nmore\r\n"));
  },
};

/** Stores, and answers one byte after the other, for longer than a sink waits. */
export const trickle: Act = {
  name: "slow trickle",
  stores: "untold",
  at: ["end"],
  perform(socket) {
    const bytes = [...answerText(200, "x".repeat(200), {})];
    repeat(socket, 30, () => socket.write(bytes.shift() ?? ""));
  },
};

/** Does not store, and answers with what is no HTTP. */
export const garbage: Act = {
  name: "garbage",
  stores: false,
  at: ["end"],
  perform: (socket) => socket.end("\u0000\u0001SSH-2.0-what\r\n\r\n<html>".repeat(3)),
};

type Headers = Readonly<Record<string, string>>;

/** A complete answer as it stands on the wire. */
export function answerText(status: number, body: string, headers: Headers): string {
  const length = status === 204 || status === 304 ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries({ ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}\r\n${body}`;
}

function repeat(socket: Socket, ms: number, work: () => void): void {
  const timer = setInterval(work, ms);
  socket.once("close", () => clearInterval(timer));
}
