/** Where a server listens. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Where mlmon listens when nothing is said. */
export const defaultListen: Listen = { host: "127.0.0.1", port: 9890 };

/** Reads `host:port`, `[::1]:port`, `:port` or a bare port (both on loopback); nothing when it is none of them. */
export function parseListen(text: string): Listen | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*))(?::(\d{1,5}))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, v6, name = "", digits] = match;
  if (digits === undefined) return /^\d{1,5}$/.test(name) ? listen("127.0.0.1", name) : undefined;
  return listen(v6 ?? (name || "127.0.0.1"), digits);
}

/** Whether only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function listen(host: string, digits: string): Listen | undefined {
  const port = Number(digits);
  return port <= 65_535 ? { host, port } : undefined;
}
