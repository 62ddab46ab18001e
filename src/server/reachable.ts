import type { Listen } from "../config/listen.ts";

/** The address by which this machine reaches a server that listens there: one that listens everywhere on loopback. */
export function reachableUrl({ host, port }: Listen): string {
  const everywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const name = everywhere[host] ?? host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** What `/-/healthy` answers: `mlmon health` tells mlmon by it from others that answer there. */
export const healthy = "healthy\n";
