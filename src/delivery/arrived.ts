import { Buffer } from "node:buffer";

/** Requests that have arrived, of a part that is rendered once more in halves. */
export interface Arrived {
  add(requests: readonly unknown[]): void;
  /** Says whether this request is among them, byte for byte, and takes it out. */
  take(request: unknown): boolean;
}

/**
 * Counts them: each is left out of the halves as often as it has arrived, and no more often, for equal samples make
 * equal requests.
 */
export function countArrived(): Arrived {
  const counts = new Map<string, number>();
  return {
    add(requests) {
      for (const request of requests) {
        const key = fingerprint(request);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    },
    take(request) {
      if (counts.size === 0) return false;
      const key = fingerprint(request);
      const count = counts.get(key) ?? 0;
      if (count > 1) counts.set(key, count - 1);
      else counts.delete(key);
      return count > 0;
    },
  };
}

function fingerprint(request: unknown): string {
  return JSON.stringify(request, (_key, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
}
