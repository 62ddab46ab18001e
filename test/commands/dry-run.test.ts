import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { config, folderWith } from "./fixed-samples.ts";
import { mlmon } from "./mlmon.ts";
import { expectTidy } from "./wrong-use-world.ts";

describe("mlmon dry-run", () => {
  const run = { id: "a".repeat(32), experiment: { id: "1", name: "e" } };
  const samples = [1, "NaN"].map((value, time) => `${JSON.stringify({ name: "loss", value, time, run })}\n`).join("");
  const files = {
    "mlmon.config.ts": config(`pramathus({ endpoint: "http://localhost/" })`),
    "samples.ndjson": samples,
  };
  const secretImport = 'import { secret } from "mlmon";';
  const words = ["dry-run", "--input", "samples.ndjson"];

  it("prints the requests as text, JSON, curl and bare bodies", async () => {
    await using folder = await folderWith(files);
    const run = async (...more: string[]) => {
      const { status, stdout, stderr } = await mlmon([...words, ...more], { cwd: folder.path });
      assert.equal(status, 0, stderr);
      return stdout;
    };
    assert.match(
      await run(),
      /^== pramathus: 1 request, 2 samples, 1 series, \d+ bytes\n\nPOST http:\/\/localhost\/\n/,
    );
    const { sinks, warnings } = JSON.parse(await run("--json"));
    assert.deepEqual([sinks[0].id, sinks[0].samples, sinks[0].requests.length, warnings], ["pramathus", 2, 1, []]);
    assert.equal(await run("--format", "json"), await run("--json"));
    assert.equal(await run("--raw"), sinks[0].requests[0].body);
    assert.match(
      await run("--format", "curl"),
      /^# pramathus\nprintf %s '.*' \| curl -sSg -X POST 'http:\/\/localhost\/' /,
    );
  });

  it("reads recorded samples from stdin, as mlmon queue export writes them", async () => {
    await using folder = await folderWith(files);
    const fromStdin = (input: string) => mlmon(["dry-run", "--input", "-"], { cwd: folder.path, input });
    assert.deepEqual(await fromStdin(samples), await mlmon(words, { cwd: folder.path }));
    const torn = await fromStdin(`${samples}{"name":`);
    assert.equal(torn.status, 1);
    assert.match(torn.stderr, /^mlmon: .*Cannot read stdin line 3: it is not JSON$/m);
  });

  it("shows of one sink what the whole configuration would send it, though its source reads more for another", async () => {
    const text = `import { defineSource, filter, v } from "mlmon";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
const run = ${JSON.stringify({ ...run, name: "", status: "running", startTime: 1, user: "", stage: "None", tags: {}, params: {} })};
const by = defineSource("by", v.strictObject({}), () => ({
  async *read({ consumes }) {
    const steps = consumes === "points" ? [1, 2, 3] : [3];
    yield { time: 1, ended: [], samples: steps.map((step) => ({ name: "loss", value: step, time: 1, step, run })) };
  },
}));
export default { sources: [by()], transforms: [filter(({ step }) => step < 3)],
  sinks: [prometheus(), pramathus({ endpoint: "http://localhost/" })] };`;
    await using folder = await folderWith({ "mlmon.config.ts": text });
    const preview = async (...more: string[]) => {
      const { stdout } = await mlmon(["dry-run", "--json", ...more], { cwd: folder.path });
      return JSON.parse(stdout).sinks;
    };
    const [page, pramathus] = await preview();
    assert.match(page.requests[0].body, /^mlflow_loss\{.*\} 2$/m);
    assert.deepEqual(await preview("--sink", "prometheus"), [page]);
    assert.deepEqual(await preview("--sink", "pramathus"), [pramathus]);
  });

  it("leaves out what MLflow holds for a sink that starts from now, and says so; recorded samples are all for it", async () => {
    const sink = `pramathus({ endpoint: "http://localhost/" }, { startFrom: "now" })`;
    await using folder = await folderWith({ ...files, "mlmon.config.ts": config(sink) });
    const preview = async (...more: string[]) => {
      const { stdout } = await mlmon(["dry-run", "--json", ...more], { cwd: folder.path });
      const { sinks, warnings } = JSON.parse(stdout);
      return [sinks[0].samples, sinks[0].requests.length, ...warnings];
    };
    const why = 'pramathus starts from "now": what was logged before is left out, as it is at its first start';
    assert.deepEqual(await preview(), [0, 0, why]);
    assert.deepEqual(await preview("--input", "samples.ndjson"), [2, 1]);
  });

  it("keeps a snapshot, agrees with it, and ends with 3 and the sink's name when the payload has changed", async () => {
    await using folder = await folderWith(files);
    const run = () => mlmon([...words, "--snapshot", "kept.json"], { cwd: folder.path });
    assert.deepEqual(await run(), { status: 0, stdout: 'The payload is kept in "kept.json"\n', stderr: "" });
    assert.deepEqual(await run(), { status: 0, stdout: 'The payload is the one in "kept.json"\n', stderr: "" });
    await writeFile(join(folder.path, "samples.ndjson"), samples.replace('"value":1', '"value":2'));
    const changed = await run();
    assert.equal(changed.status, 3);
    assert.match(changed.stdout, /^The payload of pramathus differs from "kept\.json": delete the file to keep/);
    assert.match(changed.stdout, /^ {2}- .*"value\W+1\b.*\n {2}\+ .*"value\W+2\b/m);
    await writeFile(join(folder.path, "samples.ndjson"), samples.replace('"value":1', '"value":1.25'));
    assert.match((await run()).stdout, /^ {2}- .*"value\W+1\b.*\n {2}\+ .*"value\W+1\.25\b/m, "not that of the bytes");
  });

  it("writes nothing and ends with 1 when the snapshot cannot be written", async () => {
    await using folder = await folderWith(files);
    const ended = await mlmon([...words, "--snapshot", "nowhere/kept.json"], { cwd: folder.path });
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /^mlmon: Cannot write the snapshot "nowhere\/kept\.json": there is no such folder$/m);
    expectTidy(ended);
  });

  it("prints curl commands with secrets as variables, and none for what is not sent over HTTP", async () => {
    const sinks = `prometheus(), console(), pramathus({ endpoint: "http://localhost/", apiKey: secret.env("THE_KEY") })`;
    const imports = `${secretImport}import { console } from "mlmon/plugins/console";`;
    await using folder = await folderWith({ ...files, "mlmon.config.ts": config(sinks, imports) });
    const env = { THE_KEY: "it's secret-enough" };
    const { stdout } = await mlmon([...words, "--format", "curl"], { cwd: folder.path, env });
    assert.match(stdout, /^# prometheus\n# mlmon sends no HTTP request here: GET \/metrics\n/);
    assert.match(stdout, /^# console\n# mlmon sends no HTTP request here: WRITE stdout\n/m);
    assert.match(stdout, / -H 'authorization: Bearer '"\$THE_KEY"'' /);
    assert.doesNotMatch(stdout, /secret-enough/);
  });

  it("warns of many series for a gateway, of keys that fall on one name, and of what the cap leaves out", async () => {
    const keys = Array.from({ length: 10_001 }, (_, index) => `key${index}`);
    const lines = ["a.b", "a_b", ...keys].map((name) => `${JSON.stringify({ name, value: 1, time: 0, run })}\n`);
    const imports = 'import { pushgateway } from "mlmon/plugins/pushgateway";';
    const text = config(
      `prometheus(), pushgateway({ endpoint: "localhost" }), pramathus({ endpoint: "http://a" })`,
      imports,
    );
    await using folder = await folderWith({ "mlmon.config.ts": text, "samples.ndjson": lines.join("") });
    const warnings = async (...more: string[]) => {
      const { stdout } = await mlmon([...words, "--limit", "0", "--json", ...more], { cwd: folder.path });
      return JSON.parse(stdout).warnings.join("\n");
    };
    assert.match(await warnings(), /^several keys fall on the name mlflow_a_b: a_b carry the label metric_key$/m);
    assert.match(await warnings(), /^pushgateway would hold 10004 series: above 10000 let Prometheus scrape/m);
    assert.doesNotMatch(await warnings(), /prometheus would/);
    assert.equal(await warnings("--sink", "pramathus"), "", "every point has its own key and run");
    await writeFile(join(folder.path, "mlmon.config.ts"), text.replace("sinks:", "series: { max: 100 }, sinks:"));
    assert.match(
      await warnings(),
      /^more than 100 series: some of key\d+, .* are left out; raise series\.max or filter/m,
    );
  });

  it("says of each sink what it fails to render, shows the others, and ends with 1", async () => {
    const broken = [
      ["(batch) => batch.nope.x", /to render: .*undefined/],
      ["() => undefined", /it gives no list/],
      ['() => [{ method: "POST", url: "t" }]', /its address is no http:/],
      ['() => [{ method: "POST", url: "http://localhost/", headers: { x: "漢" } }]', /no header can be made of "x"/],
      [
        '() => [{ method: "POST", url: "http://localhost/", headers: { x: `Bearer ${secret.env("NOPE")}` } }]',
        /its header "x" holds a secret as text, which is its name: give the secret itself, or secret\.bearer\(…\)/,
      ],
      ['() => [{ method: "POST", url: `http://localhost/?key=${secret.env("NOPE")}` }]', /its address holds a secret/],
    ] as const;
    const sinks = broken.map(([render], at) => `own("own${at}", ${render})`).join(", ");
    const own = `import { defineHttpSink, secret } from "mlmon";
const own = (name, render) => defineHttpSink(name, v.strictObject({}), () => ({ render }))();`;
    const text = config(`${sinks}, pramathus({ endpoint: "http://localhost/" })`, own);
    await using folder = await folderWith({ ...files, "mlmon.config.ts": text });
    const ended = await mlmon(words, { cwd: folder.path });
    assert.equal(ended.status, 1);
    for (const [at, [, why]] of broken.entries()) {
      assert.match(
        ended.stdout,
        new RegExp(`== own${at}: 0 requests.*\\n.*not be delivered: the sink failed .*${why.source}`),
      );
    }
    assert.match(ended.stdout, /POST http:\/\/localhost\/\n/);
    expectTidy(ended);
  });

  it("warns of samples that a sink cannot carry, and fails where its match throws", async () => {
    const sinks = `pramathus({ endpoint: "http://a/", nonFinite: "skip" }),
      pramathus({ endpoint: "http://b/" }, { id: "own", match: (sample) => sample.value < 2 || sample.nope.x })`;
    const bare = JSON.stringify({ name: "queue", value: 1, time: 5 });
    await using folder = await folderWith({
      "mlmon.config.ts": config(sinks),
      "samples.ndjson": `${samples}${bare}\n`,
    });
    const { status, stdout } = await mlmon(words, { cwd: folder.path });
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^== own \(pramathus\): 1 request, 1 sample, .*\n.*not be delivered: match or refuse threw: /m,
    );
    assert.match(stdout, /^warning: pramathus leaves out 1 sample that it cannot carry \(not_finite\), such as loss$/m);
    assert.match(stdout, /^warning: pramathus leaves out 1 sample that it cannot carry \(no_run\), such as queue$/m);
  });

  it("shows the login of an address as the header that it is sent as", async () => {
    const text = config(`pramathus({ endpoint: "http://ada:p4ssword-of-ada@localhost/" })`);
    await using folder = await folderWith({ ...files, "mlmon.config.ts": text });
    const { stdout } = await mlmon(words, { cwd: folder.path });
    assert.match(stdout, /POST http:\/\/localhost\/\nauthorization: Basic <secret password in the address>\n/);
  });
});
