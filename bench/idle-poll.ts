/**
 * Cost of an idle poll at 10, 1000 and 10 000 finished runs: requests, bytes and time of the server's answers, counted
 * by a proxy between the binary and a real MLflow. Goal: flat, 2 requests a poll.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStore } from "./store.ts";

const binary = join(import.meta.dirname, "../dist/mlmon");
const seconds = 20;

for (const runs of [10, 1000, 10_000]) {
  const store = await startStore({ runs, keys: 1, steps: 1 });
  const proxy = await startProxy(store.url);
  const folder = mkdtempSync(join(tmpdir(), "mlmon-bench-"));
  const config = join(folder, "mlmon.config.ts");
  writeFileSync(
    config,
    `import { defineConfig, mlflow } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
export default defineConfig({ sources: [mlflow({ trackingUri: "${proxy.url}", interval: "1s" })], sinks: [prometheus()] });
`,
  );
  const child = spawn(binary, ["run", "--config", config, "--listen", "127.0.0.1:0"], { cwd: folder, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await quiet(proxy);
    proxy.reset();
    await pause(seconds * 1000);
    const { requests, polls, bytes, ms } = proxy.counts();
    const each = (value: number) => (value / polls).toFixed(2);
    console.log(
      `${String(runs).padStart(6)} finished runs   ${each(proxy.counts().searches)} run searches a poll   ` +
        `${each(requests)} requests in all   ${each(bytes)} bytes   ${each(ms)} ms of the server`,
    );
  } finally {
    child.kill("SIGTERM");
    await ended;
    await proxy.stop();
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first sync is over when two seconds bring no more than a poll a second. */
async function quiet(proxy: Awaited<ReturnType<typeof startProxy>>): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    proxy.reset();
    await pause(3000);
    const { requests, polls } = proxy.counts();
    if (polls >= 2 && requests <= polls * 4) return;
  }
  throw new Error("the source does not come to rest");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function startProxy(target: string) {
  let counts = { requests: 0, searches: 0, polls: 0, bytes: 0, ms: 0 };
  const server = createServer((incoming, outgoing) => {
    const start = performance.now();
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const { method, url, headers } = incoming;
      const forward = request(
        target + url,
        { method, headers: { ...headers, host: new URL(target).host } },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.on("data", (chunk) => {
            counts.bytes += chunk.length;
            outgoing.write(chunk);
          });
          answer.on("end", () => {
            counts.ms += performance.now() - start;
            outgoing.end();
          });
        },
      );
      forward.on("error", () => outgoing.destroy());
      forward.end(body);
      counts.requests += 1;
      if (url?.includes("runs/search")) counts.searches += 1;
      // A poll asks for live runs once; its other search is for those that have ended.
      if (body.includes("attributes.status != 'FINISHED'")) counts.polls += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    counts: () => counts,
    reset: () => {
      counts = { requests: 0, searches: 0, polls: 0, bytes: 0, ms: 0 };
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
