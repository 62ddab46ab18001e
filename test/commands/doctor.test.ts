import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { createWriter } from "../../src/mlflow/write.ts";
import type { Problem } from "../../src/model/inspection.ts";
import { serve } from "../../src/runtime/serve.ts";
import { bed } from "../beds/bed.ts";
import { startPushgateway } from "../beds/servers.ts";
import { freePort, temporaryFolder, until } from "../beds/wait.ts";
import { startReceiver } from "../fixtures/receiver.ts";
import { type Ended, mlmon } from "./mlmon.ts";

const mlflow = await bed("mlflow");
const servers = await bed("servers");

/** Runs doctor on a configuration of these entries; `state` and the port are the test's own. */
async function doctor(
  entries: { sources?: string; sinks?: string; rest?: string },
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  await using folder = await temporaryFolder();
  const {
    sources = `mlflow({ trackingUri: "${mlflow.url || "http://127.0.0.1:1"}" })`,
    sinks = "prometheus()",
    rest = "",
  } = entries;
  await writeFile(join(folder.path, "mlmon.config.ts"), configuration(sources, sinks, rest));
  const listen =
    args.includes("--listen") || rest.includes("listen") ? [] : ["--listen", `127.0.0.1:${await freePort()}`];
  return await mlmon(["doctor", ...listen, ...args], { cwd: folder.path, env });
}

function configuration(sources: string, sinks: string, rest: string): string {
  return `import { defineConfig, defineHttpSink, mlflow, secret, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
const broken = defineHttpSink("broken", v.strictObject({}), () => ({
  render: () => [],
  check: () => { throw new Error("no such table"); },
}));
void [pramathus, prometheus, pushgateway, secret, broken];
export default defineConfig({ sources: [${sources}], sinks: [${sinks}], ${rest} });
`;
}

/** As `--json` gives it. */
interface Finding {
  readonly what: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

async function findings(ended: Promise<Ended>): Promise<{ status: number; byWhat: Map<string, Finding> }> {
  const { status, stdout, stderr } = await ended;
  assert.ok(stdout.startsWith("{"), stderr);
  const { findings: list }: { findings: Finding[] } = JSON.parse(stdout);
  return { status, byWhat: new Map(list.map((finding) => [finding.what, finding])) };
}

describe("mlmon doctor with a real MLflow", { skip: mlflow.skip }, () => {
  it("says what it would read, and that nothing is to mend", async () => {
    const writer = createWriter(await options());
    const name = `doctor ${crypto.randomUUID()}`;
    const run = await writer.createRun(await writer.createExperiment(name), { startTime: Date.now() });
    await writer.logBatch(run, [
      { key: "loss", value: 1, timestamp: Date.now(), step: 0 },
      { key: "accuracy", value: 1, timestamp: Date.now(), step: 0 },
    ]);
    const sources = `mlflow({ trackingUri: "${mlflow.url}", experiments: ["${name}"] })`;
    const { status, stdout, stderr } = await doctor({ sources });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^✓ source mlflow\n {4}server: http:\/\/127/);
    assert.match(stdout, /version: 3\.\d+\.\d+\n {4}store: SqlStore\n/);
    assert.match(stdout, /would read: 1 experiment, 1 run, 2 series\n/);
    assert.match(stdout, /clock: differs by less than 2 s\n/);
    assert.match(stdout, /^– sink prometheus\n {4}not checked: it sends nothing over HTTP$/m);
    assert.match(stdout, /^✓ state folder\n {4}path: .*\.mlmon, made at the first start$/m);
    assert.match(stdout, /^✓ status server$/m);
    assert.match(stdout, /\nNothing to mend\. Next: mlmon dry-run\n$/);
  });

  it("names the command that logs a training when there is no run yet", async () => {
    const name = `empty ${crypto.randomUUID()}`;
    await createWriter(await options()).createExperiment(name);
    const { stdout } = await doctor({ sources: `mlflow({ trackingUri: "${mlflow.url}", experiments: ["${name}"] })` });
    assert.match(stdout, /would read: 1 experiment, 0 runs, 0 series\n/);
    assert.match(stdout, /\nNothing to mend\. Next: mlmon generate-sample, as there is no run yet\n$/);
  });

  it("says how a plugin can be checked that offers nothing", async () => {
    const sinks = `defineHttpSink("own", v.strictObject({}), () => ({ render: () => [] }))()`;
    const { stdout } = await doctor({ sinks });
    assert.match(stdout, /^– sink own\n {4}not checked: its plugin offers no check\(\)$/m);
  });

  it("warns of 0 experiments, which is no failure", async () => {
    const sources = `mlflow({ trackingUri: "${mlflow.url}", experiments: ["no-such-${crypto.randomUUID()}"] })`;
    const { status, stdout } = await doctor({ sources });
    assert.equal(status, 0);
    assert.match(stdout, /^! source mlflow$/m);
    assert.match(stdout, / {2}! No experiment can be seen\n {4}→ check the rights/);
    assert.match(stdout, /\nOne thing to mend\n$/);
  });

  it("checks a Pushgateway and leaves no data behind", { skip: servers.skip }, async () => {
    const gateway = await startPushgateway();
    try {
      const { status, byWhat } = await findings(
        doctor({ sinks: `pushgateway({ endpoint: "${gateway.url}" })` }, ["--json"]),
      );
      assert.equal(status, 0);
      assert.deepEqual(byWhat.get("sink pushgateway")?.facts, {
        asked: `GET ${gateway.url}/api/v1/status`,
        answer: "200",
      });
      const held = await (await fetch(`${gateway.url}/api/v1/metrics`)).json();
      assert.deepEqual(held.data, []);
    } finally {
      await gateway.stop();
    }
  });

  it("takes a port on which mlmon runs already as it should be", async () => {
    const served = await serve(() => new Response("healthy\n"), { hostname: "127.0.0.1", port: 0 });
    try {
      const { status, byWhat } = await findings(doctor({}, ["--json", "--listen", `127.0.0.1:${served.port}`]));
      assert.equal(status, 0);
      assert.equal(byWhat.get("status server")?.facts["in use"], "by an mlmon that runs already");
    } finally {
      await served.stop();
    }
  });

  async function options() {
    const { mlflowOptions } = await import("../../src/mlflow/options.ts");
    const { parse } = await import("valibot");
    return parse(mlflowOptions, { trackingUri: mlflow.url });
  }
});

describe("mlmon doctor", () => {
  it("names everything that is wrong at once, with the mend, and ends with 1", async () => {
    const receiver = await startReceiver(() => ({ status: 401, body: "who is some-secret-key?" }));
    try {
      const away = `http://127.0.0.1:${await freePort()}`;
      const entries = {
        sources: `mlflow({ trackingUri: "${away}" }), mlflow({ trackingUri: "${receiver.url}", token: "a-token" }, { id: "locked" })`,
        sinks: `pramathus({ endpoint: "${receiver.url}/x?key=hidden", apiKey: secret.env("KEY") }),
          pramathus({ endpoint: "${receiver.url}", apiKey: secret.env("UNSET_KEY") }, { id: "unset" }),
          pushgateway({ endpoint: "${away}" }), broken()`,
        rest: `state: "/dev/null/state", server: { listen: "${receiver.url.slice("http://".length)}" }`,
      };
      const ended = doctor(entries, ["--json"], { KEY: "some-secret-key" });
      const { status, byWhat } = await findings(ended);
      assert.equal(status, 1);
      const wrong = (what: string) => {
        const { problems = [] } = byWhat.get(what) ?? {};
        assert.ok(problems[0]?.fatal, what);
        assert.ok(problems[0].mend.length > 5, what);
        return problems[0].message;
      };
      assert.match(wrong("source mlflow"), /as connection refused/);
      assert.match(wrong("source locked"), /401/);
      assert.match(wrong("sink pramathus"), /^401: .*who is <secret>\?/);
      assert.match(wrong("sink unset"), /"UNSET_KEY" is not set/);
      assert.match(wrong("sink pushgateway"), /connection refused/);
      assert.match(wrong("sink broken"), /no such table/);
      assert.match(wrong("state folder"), /^Cannot write to "\/dev\/null"/);
      assert.match(wrong("status server"), /port is in use/);
      const { stdout, stderr } = await ended;
      for (const hidden of ["some-secret-key", "hidden", "a-token"])
        assert.ok(!(stdout + stderr).includes(hidden), hidden);
    } finally {
      await receiver.stop();
    }
  });

  it("says that the journal is damaged, and leaves it as it is", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "journal.db");
    await writeFile(path, "no journal");
    const sources = `mlflow({ trackingUri: "http://127.0.0.1:${await freePort()}" })`;
    const { status, byWhat } = await findings(
      doctor({ sources, sinks: "broken()" }, ["--json", "--state", folder.path]),
    );
    assert.equal(status, 1);
    const [problem] = byWhat.get("state folder")?.problems ?? [];
    assert.equal(
      problem?.message,
      `Cannot open the journal "${path}" as it is not a journal of mlmon: move it away, or use another state folder`,
    );
    assert.equal(await readFile(path, "utf8"), "no journal");
    assert.deepEqual(await readdir(folder.path), ["journal.db"]);
  });

  it("takes a signal amid its checks for no mistake of a plugin", async () => {
    let pid: number | undefined;
    let asked = false;
    const server = createServer(() => {
      asked = true;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await using folder = await temporaryFolder();
    const ended = mlmon(["doctor", "--listen", `127.0.0.1:${await freePort()}`], {
      cwd: folder.path,
      env: { MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}` },
      onStarted: (started) => {
        pid = started;
      },
    });
    await until(() => asked);
    assert.ok(pid);
    process.kill(pid, "SIGTERM");
    const { status, stdout } = await ended;
    server.close();
    assert.equal(status, 1);
    assert.match(stdout, /✗ source mlflow\n {2}✗ stopped before an answer came\n {4}→ check again/);
    assert.doesNotMatch(stdout, /mend the plugin/);
  });

  it("says when the server is no MLflow", async () => {
    const receiver = await startReceiver(() => ({ status: 200, body: "<html>hello</html>" }));
    try {
      const { status, stdout } = await doctor({ sources: `mlflow({ trackingUri: "${receiver.url}" })` });
      assert.equal(status, 1);
      assert.doesNotMatch(stdout, /<html>/);
      assert.match(
        stdout,
        /^✗ source mlflow\n {4}server: .*\n.* {2}✗ .* no answer of MLflow .*\n {4}→ check trackingUri/s,
      );
    } finally {
      await receiver.stop();
    }
  });

  it("ends with 2 and every mistake when the configuration is wrong", async () => {
    const { status, stdout, stderr } = await doctor({ sinks: `pramathus({ endpont: "x" })` });
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /sinks\[0\]\.endpont/);
  });
});
