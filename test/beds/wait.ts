import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Polls until `look` gives something other than `undefined` or `false` and returns it. What `look` throws counts as
 * "not yet". Rejects after `deadlineMs` (30 s by default) with `what` was waited for and the last exception as cause.
 */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 30_000,
  what = look.toString(),
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain for ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A TCP port on 127.0.0.1 that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("The system gave no port");
  return address.port;
}

/** A fresh folder for one test; `await using` removes it at the end of the block, `remove()` at once. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "mlmon-test-"));
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
