import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { bed } from "../beds/bed.ts";
import { startPushgateway } from "../beds/servers.ts";
import { freePort, until } from "../beds/wait.ts";
import { type Awkward, type Latest, logAwkward } from "./awkward.ts";
import { programs } from "./programs.ts";

const mlflow = await bed("mlflow");
const servers = await bed("servers");

describe("run, against MLflow's own client", { skip: mlflow.skip || servers.skip }, () => {
  let awkward: Awkward;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "mlmon-latest-"));
    awkward = await logAwkward(mlflow);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const program of programs) {
    it(`${program.name} shows equal latest values on /metrics and in a real Pushgateway`, {
      skip: program.skip,
    }, async () => {
      const gateway = await startPushgateway();
      const port = await freePort();
      const config = join(folder, `${program.name}.config.ts`);
      await writeFile(config, configText(awkward.experiment, gateway.url));
      const [file, ...first] = program.command;
      const flags = ["run", "--config", config, "--state", join(folder, program.name), "--listen", `127.0.0.1:${port}`];
      const child = spawn(file, [...first, ...flags], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
      const ended = new Promise((resolve) => child.once("exit", (status) => resolve(status)));
      try {
        const wanted = groups(awkward.latest);
        const matches = async (url: string) =>
          JSON.stringify(parsed(await page(url), wanted)) === JSON.stringify(wanted);
        await until(() => matches(`http://127.0.0.1:${port}/metrics`), 30_000).catch(() => undefined);
        assert.deepEqual(parsed(await page(`http://127.0.0.1:${port}/metrics`), wanted), wanted);
        await until(() => matches(`${gateway.url}/metrics`), 10_000).catch(() => undefined);
        assert.deepEqual(parsed(await page(`${gateway.url}/metrics`), wanted), wanted);
      } finally {
        child.kill("SIGTERM");
        assert.equal(await ended, 0);
        await gateway.stop();
      }
    });
  }
});

/** Values by Prometheus name and short run id; keys that fall on one name share an entry. */
type Groups = Readonly<Record<string, readonly string[]>>;

const own = new Set(["mlflow_runs", "mlflow_up", "mlflow_run_info"]);

function groups(latest: readonly Latest[]): Groups {
  const found = new Map<string, string[]>();
  for (const { run, key, value } of latest) {
    const name = `mlflow_${key.replace(/[^a-zA-Z0-9_]/gu, "_")}`;
    add(found, `${own.has(name) ? `mlflow_metric_${key}` : name} ${run.slice(0, 8)}`, value);
  }
  return sorted(found);
}

/** Reads a page without mlmon's code: the lines of the names that are wanted. */
function parsed(text: string, wanted: Groups): Groups {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const match = /^(mlflow_\w+)\{(.*)\} (\S+)$/.exec(line);
    const run = /run_id="([^"]*)"/.exec(match?.[2] ?? "")?.[1];
    if (match && `${match[1]} ${run}` in wanted)
      add(found, `${match[1]} ${run}`, text.includes("push_time_seconds") ? number(match[3]) : (match[3] ?? ""));
  }
  return sorted(found);
}

/** The gateway writes 3e+06 where mlmon wrote 3000000. */
function number(text = ""): string {
  return /Inf|NaN/.test(text) ? text : String(Number(text));
}

function add(found: Map<string, string[]>, key: string, value: string): void {
  found.set(key, [...(found.get(key) ?? []), value]);
}

function sorted(found: ReadonlyMap<string, readonly string[]>): Groups {
  return Object.fromEntries(
    [...found].map(([key, values]) => [key, [...values].sort()] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function page(url: string): Promise<string> {
  const answer = await fetch(url).catch(() => undefined);
  return (await answer?.text()) ?? "";
}

function configText(experiment: string, gateway: string): string {
  return `import { defineConfig, mlflow } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
export default defineConfig({
  sources: [mlflow({ trackingUri: ${JSON.stringify(mlflow.url)}, experiments: [${JSON.stringify(experiment)}], interval: "1s" })],
  sinks: [prometheus(), pushgateway({ endpoint: ${JSON.stringify(gateway)} })],
});
`;
}
