import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { freePort, temporaryFolder } from "../beds/wait.ts";
import type { Ended, MlmonOptions } from "./mlmon.ts";
import { type Surroundings, secretWord, type WrongUse } from "./wrong-uses.ts";

/** Runs mlmon in some way to its end. */
export type Start = (words: readonly string[], options: MlmonOptions) => Promise<Ended>;

/** Longer than any wrong use may take on a busy machine: a hang is a failure. */
const patienceMs = 25_000;

/** Starts the servers that a wrong use meets; they end with the scope. */
export async function surroundings(): Promise<Surroundings & AsyncDisposable> {
  const page = await answering(200, "text/html", "<html>Please log in</html>");
  const locked = await answering(401, "application/json", "{}");
  return {
    page: page.url,
    locked: locked.url,
    taken: page.url.slice("http://".length),
    closed: `http://127.0.0.1:${await freePort()}`,
    async [Symbol.asyncDispose]() {
      page.close();
      locked.close();
    },
  };
}

/** Does what must go wrong in a folder of its own, and checks status and message. */
export async function expectRefusal(start: Start, use: WrongUse): Promise<void> {
  await using folder = await temporaryFolder();
  for (const [name, text] of Object.entries(use.files ?? {})) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), text);
  }
  let pid: number | undefined;
  const late = setTimeout(() => pid !== undefined && process.kill(pid, "SIGKILL"), patienceMs);
  const ended = await start(use.words, { cwd: folder.path, env: use.env ?? {}, onStarted: (child) => (pid = child) });
  clearTimeout(late);
  assert.match(ended.stderr, use.says);
  assert.equal(ended.status, use.status, ended.stderr);
  assert.equal(ended.stdout, "");
  expectTidy(ended);
}

/** No stack, no secret, no bug, no path of the program's own. */
export function expectTidy({ stdout, stderr }: Ended): void {
  const output = `${stdout}${stderr}`;
  assert.doesNotMatch(output, /\n\s+at |\bBun v\d|Stack backtrace|this is a bug|\$bunfs|load-(bun|deno)\.ts/);
  const login = Buffer.from(`me:${secretWord}`).toString("base64");
  assert.ok(!output.includes(secretWord) && !output.includes(login), output);
}

async function answering(status: number, type: string, body: string): Promise<{ url: string; close(): void }> {
  const server = createServer((_, response) => response.writeHead(status, { "content-type": type }).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
