import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { runtime } from "../../src/runtime/runtime.ts";
import { temporaryFolder } from "../beds/wait.ts";
import { mlmon } from "../commands/mlmon.ts";
import { localServer } from "../mlflow/proxy.ts";
import { type Flow, startEndless } from "./endless.ts";

const timeout = 120_000;
const server = await startEndless();
after(() => server.stop());

/** What comes as it is sent is let go of at once; a piece of gzip is a thousand times larger when decoded. */
const smallMiB = 64;
/** Twice 128 MiB as bytes and as text, until the collector comes: `server-info` and the search after it. */
const wholeAnswersMiB = 800;

const flows: readonly Flow[] = ["short pieces", "zeros", "spaces", "html", "objects", "gzip of zeros"];

/** Lets a process of its own ask these addresses in turn. */
function ask(how: "send" | "read", ...urls: readonly string[]): Promise<{ told: readonly string[]; grown: number }> {
  const child = join(import.meta.dirname, "read-endless.ts");
  const words = runtime === "deno" ? ["run", "-A", "--no-check", child] : [child];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...words, how, ...urls], (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout));
    });
  });
}

describe("an answer that never ends", { timeout }, () => {
  it("to a delivery is delivered or failed by its status, with a short reason and little memory", async () => {
    const statuses = [200, 400, 500, 307];
    const { told, grown } = await ask("send", ...flows.flatMap((flow) => statuses.map((s) => server.url(flow, s))));
    const kinds = told.map((text) => text.split(":")[0]);
    assert.deepEqual(
      kinds,
      flows.flatMap(() => ["delivered", "split", "retry", "rejected"]),
    );
    for (const text of told) assert.ok(text.length < 400, text);
    assert.ok(grown < smallMiB, `${grown} MiB`);
  });

  it("to the source is an error that says what came instead, with little memory", async () => {
    const others = flows.filter((flow) => flow !== "objects");
    const { told, grown } = await ask("read", ...others.flatMap((f) => [server.url(f, 200), server.url(f, 500)]));
    const expected = others.flatMap((flow) => [flow === "html" ? /\(a web page\)/ : /\(no JSON\)/, /answered 500/]);
    assert.equal(told.length, expected.length);
    for (const [index, pattern] of expected.entries()) assert.match(told[index] ?? "", pattern);
    assert.ok(grown < smallMiB, `${grown} MiB`);
  });

  it("to the source is read no further than 128 MiB when it looks like one of MLflow", async () => {
    const { told, grown } = await ask("read", server.url("objects", 500), server.url("objects", 200));
    assert.match(told[0] ?? "", /answered 500/);
    assert.match(told[1] ?? "", /\(more than 128 MiB\)/);
    assert.ok(grown < wholeAnswersMiB, `${grown} MiB`);
  });

  it("of nothing but objects is not turned into values, which would take thirty times its size", async () => {
    const dense = Buffer.concat([
      Buffer.from('{"metrics":['),
      Buffer.alloc(120 * 1024 ** 2 - 1, "{},"),
      Buffer.from("{}]}"),
    ]);
    const one = await localServer((_, response) => void response.writeHead(200).end(dense));
    try {
      const { told, grown } = await ask("read", one.url);
      assert.match(told[0] ?? "", /\(more than 4000000 objects\)/);
      assert.ok(grown < wholeAnswersMiB, `${grown} MiB`);
    } finally {
      one.close();
    }
  });

  it("to doctor is a finding for each part, in no time", async () => {
    await using folder = await temporaryFolder();
    const entries = flows.map((flow, index) => {
      const sink = index % 2 === 0 ? "pramathus" : "pushgateway";
      return `${sink}({ endpoint: "${server.url(flow, 503)}" }, { id: "sink-${index}" })`;
    });
    const text = `import { mlflow } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { pushgateway } from "mlmon/plugins/pushgateway";
export default {
  sources: [mlflow({ trackingUri: "${server.url("html", 200)}" }),
    mlflow({ trackingUri: "${server.url("gzip of zeros", 500)}" }, { id: "second" })],
  sinks: [${entries.join(", ")}, pushgateway({ endpoint: "${server.url("gzip of zeros", 200)}" }, { id: "well" })],
};`;
    await writeFile(join(folder.path, "mlmon.config.ts"), text);
    let most = 0;
    let timer: ReturnType<typeof setInterval> | undefined;
    // What listens there already is no mlmon either.
    const listen = new URL(server.url("zeros", 200)).host;
    const { status, stdout } = await mlmon(["doctor", "--json", "--listen", listen], {
      cwd: folder.path,
      onStarted(pid) {
        timer = setInterval(() => (most = Math.max(most, peakMiB(pid))), 10);
      },
    });
    clearInterval(timer);
    assert.equal(status, 1);
    const { findings }: { findings: readonly { what: string; problems: readonly { message: string }[] }[] } =
      JSON.parse(stdout);
    const wrong = findings.filter(({ problems }) => problems.length > 0).map(({ what }) => what);
    assert.deepEqual(wrong, [
      "source mlflow",
      "source second",
      ...flows.map((_, index) => `sink sink-${index}`),
      "status server",
    ]);
    for (const { problems } of findings) for (const { message } of problems) assert.ok(message.length < 500, message);
    // The program itself takes most of it.
    if (most > 0) assert.ok(most < 300, `${most} MiB`);
  });
});

/** The most memory that a process has had; 0 where there is no such file, or when it has ended. */
function peakMiB(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
