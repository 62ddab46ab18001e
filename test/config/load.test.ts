import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import type { ResolvedConfig } from "../../src/config/resolved.ts";
import { ConfigError } from "../../src/model/errors.ts";
import { temporaryFolder } from "../beds/wait.ts";

const head = `import { defineConfig, mlflow } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
`;
const body = "{ sources: [mlflow()], sinks: [prometheus()] }";

type Files = Readonly<Record<string, string>>;

/** Loads the configuration of a folder that holds these files. */
async function load(files: Files, env: Readonly<Record<string, string>> = {}, file?: string): Promise<ResolvedConfig> {
  await using folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), text);
  }
  return await loadConfig({ cwd: folder.path, env, secrets: "warn", patienceMs: 5000, ...(file && { file }) });
}

/** The message of the mistake that loading ends with, its issues after it. */
async function mistake(...args: Parameters<typeof load>): Promise<string> {
  try {
    await load(...args);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.match(error.name, /^(ConfigError|UsageError)$/, `${error.stack}`);
    const issues = error instanceof ConfigError ? error.issues.map(({ path, message }) => `\n${path}: ${message}`) : [];
    return `${error.message}${issues.join("")}`;
  }
  return assert.fail("the configuration was taken");
}

const config = (text: string): Files => ({ "mlmon.config.ts": text });
const ids = ({ sinks }: ResolvedConfig) => sinks.map(({ id }) => id);

describe("loadConfig() from a file", () => {
  const good: Readonly<Record<string, string>> = {
    "an object": `${head}export default defineConfig(${body});`,
    "a promise": `${head}export default Promise.resolve(${body});`,
    "a function": `${head}export default defineConfig(() => (${body}));`,
    "an async function": `${head}export default async () => (${body});`,
    "the outcome of a top-level await": `${head}await Promise.resolve(); export default ${body};`,
    "an object made with an enum": `${head}enum Most { series = 5 } export default { ...${body}, series: { max: Most.series } };`,
  };
  for (const [what, text] of Object.entries(good)) {
    it(`takes ${what}`, async () => assert.deepEqual(ids(await load(config(text))), ["prometheus"]));
  }

  for (const name of ["mlmon.config.ts", "mlmon.config.mts", "mlmon.config.js", "mlmon.config.mjs"]) {
    it(`finds ${name}`, async () => {
      const { origin } = await load({ [name]: `${head}export default ${body};` });
      assert.equal(origin, name);
    });
  }

  for (const specifier of ["./plugins/mine.ts", "./plugins/mine"]) {
    it(`follows the import of a plugin as "${specifier}", and that of its own neighbour`, async () => {
      const plugin = `import { defineHttpSink, v } from "mlmon";
import { method } from "./neighbour";
export const mine = defineHttpSink("mine", v.strictObject({ url: v.string() }), ({ url }) => ({
  render: () => [{ method, url }],
}));`;
      const text = `import { mine } from "${specifier}";\n${head}export default { sources: [mlflow()], sinks: [mine({ url: "x" })] };`;
      const neighbour = `export const method = "PUT" as const;`;
      const files = { ...config(text), "plugins/mine.ts": plugin, "plugins/neighbour.ts": neighbour };
      assert.deepEqual(ids(await load(files)), ["mine"]);
    });
  }

  it("loads a folder with blanks, umlauts and a hash in its name", async () => {
    const loaded = await load({ "wäre #1/my config.ts": `${head}export default ${body};` }, {}, "wäre #1/my config.ts");
    assert.deepEqual(ids(loaded), ["prometheus"]);
  });
});

describe("loadConfig() from a mistaken file", () => {
  const heading = 'Cannot read the configuration "mlmon.config.ts": ';
  const cases: readonly (readonly [what: string, text: string, expected: RegExp])[] = [
    ["throws", `${head}\nthrow new Error("boom\\nmore");`, /^Cannot read .*: line 4: boom$/],
    ["throws a text", `throw "boom";`, /it threw "boom"$/],
    ["throws nothing", "throw undefined;", /it threw undefined$/],
    ["throws an object", "throw { a: 1 };", /it threw an object that is no Error$/],
    [
      "reads an unset variable",
      `import { env } from "mlmon"; export default env("NOPE");`,
      /^The environment variable "NOPE" is not set/,
    ],
    ["exports no default", "export const config = {};", /exports no default; write export default defineConfig/],
    ["is empty", "", /exports no default/],
    ["exports a text", `export default "x";`, /expected an object .* found "x"$/],
    [
      "has a function that throws",
      `\nexport default () => {\n  throw new Error("inner");\n};`,
      /it failed: line 3: inner$/,
    ],
    ["is a promise that rejects", `export default Promise.reject(new Error("inner"));`, /it failed: line 1: inner$/],
    [
      "is a promise that never settles",
      "export default new Promise(() => {});",
      /its promise has not settled within 5 s$/,
    ],
    [
      "has a function whose promise never settles",
      "export default () => new Promise(() => {});",
      /the promise of its function has not settled/,
    ],
    [
      "waits for ever at its top level",
      "await new Promise(() => {}); export default 1;",
      /a top-level await in it has not settled/,
    ],
    ["imports what is not there", `import x from "./nope.ts"; export default x;`, /nope\.ts/],
    ["imports a package that is not there", `import x from "nope"; export default x;`, /nope/],
    [
      "imports a plugin mlmon has not",
      `import { x } from "mlmon/plugins/promtheus"; export default x;`,
      /: "mlmon\/plugins\/promtheus" is not part of mlmon: did you mean "mlmon\/plugins\/prometheus"\?/,
    ],
    ["imports a name mlmon has not", `import { promtheus } from "mlmon"; export default promtheus;`, /promtheus/],
  ];
  for (const [what, text, expected] of cases) {
    it(`says in one line when it ${what}`, async () => {
      const message = await mistake(config(text));
      assert.match(message, expected);
      assert.doesNotMatch(message, /\n|\bat \w+ \(|mlmon-test-|file:\/\//);
    });
  }

  it("names the line where it does not parse", async () => {
    const message = await mistake(config(`${head}export default { sources: [\n}`));
    assert.ok(message.startsWith(heading));
    assert.match(message, /line \d|:\d+/);
  });

  it("names the file and line when an imported plugin throws", async () => {
    const files = { ...config(`import "./plugins/mine.ts";`), "plugins/mine.ts": `\nthrow new Error("boom");` };
    assert.equal(await mistake(files), `${heading}plugins/mine.ts line 2: boom`);
  });

  it("names the line as it is written, whatever the runtime makes of types, comments and layout", async () => {
    const erased = "interface Never {\n  readonly a: string;\n}\n\n// A comment.\n";
    for (const more of ["", "enum Kind { A, B }\n", "class K { constructor(readonly k: string) {} }\n"]) {
      const text = `${more}${erased}function fail() {\n  throw new Error("boom");\n}\n\nfail();\n\nexport default {};`;
      assert.equal(await mistake(config(text)), `${heading}line ${more === "" ? 7 : 8}: boom`);
    }
  });

  it("says when the file is not there or is a folder", async () => {
    assert.match(await mistake({}, {}, "nope.ts"), /^Cannot find the configuration "nope.ts".*mlmon init/);
    assert.match(await mistake({ "sub/x": "" }, {}, "sub"), /^Cannot read the configuration "sub": it is a folder/);
  });
});

describe("loadConfig() from the YAML of the original exporter", () => {
  const yaml = (text: string, env = {}) => load({ "config.yaml": text }, env, "config.yaml");
  const wrong = (text: string) => mistake({ "config.yaml": text }, {}, "config.yaml");

  it("refuses a list where a section is to be, which would leave out all that it says", async () => {
    for (const section of ["mlflow", "prometheus", "pramathus", "export"]) {
      const said = await wrong(`${section}:\n  - tracking_uri: "http://mlflow:5000"\n`);
      assert.match(said, new RegExp(`\\n${section}: expected keys with values: found a list$`));
    }
  });

  it("takes every setting that has a counterpart, without a warning", async () => {
    const { sources, sinks, warnings } = await yaml(`
mlflow: { tracking_uri: "http://mlflow:5000", max_experiments: 3, include_system_metrics: true }
prometheus: { gateway: "localhost:9091", job_name: jobs, enabled: true }
pramathus: { endpoint: "http://p/x", api_key: some-key, enabled: true, timeout: 5, batch_size: 10 }
export: { interval: 30 }
`);
    const options = { trackingUri: "http://mlflow:5000", interval: 30, maxExperiments: 3, systemMetrics: true };
    assert.deepEqual(sources[0]?.options, options);
    assert.deepEqual(
      sinks.map(({ id }) => id),
      ["prometheus", "pushgateway", "pramathus"],
    );
    assert.deepEqual(sinks[1]?.options, { endpoint: "localhost:9091", job: "jobs" });
    assert.deepEqual(sinks[2]?.host, { timeout: 5000, batch: { size: 10 } });
    assert.deepEqual(warnings, []);
  });

  it("names each key without a counterpart, with what to do instead or the nearest one", async () => {
    const { warnings } = await yaml(`
mlflow: { tracking_url: "http://x" }
export: { mode: once }
logging: { level: DEBUG, file: x.log }
features: { alpha: true }
pramatus: { endpoint: x }
exporter: { interval: 5 }
extra: 1
`);
    assert.deepEqual(warnings, [
      'mlflow.tracking_url: has no counterpart in mlmon and is not used: did you mean "mlflow.tracking_uri"?',
      "export.mode: is not used: the command decides: mlmon run, or mlmon export-once",
      "logging.level: is not used: use --log-level or MLMON_LOG_LEVEL",
      "logging.file: is not used: logs go to stderr: redirect it",
      "features.alpha: has no counterpart in mlmon and is not used",
      'pramatus.endpoint: has no counterpart in mlmon and is not used: did you mean "pramathus.endpoint"?',
      'exporter.interval: has no counterpart in mlmon and is not used: did you mean "export.interval"?',
      "extra: has no counterpart in mlmon and is not used",
    ]);
  });

  it("lets variables win", async () => {
    const text = "mlflow: { tracking_uri: 'http://file:1', max_experiments: 3 }\nprometheus: { gateway: 'file:2' }";
    const env = { MLFLOW_TRACKING_URI: "http://variable:1", PROMETHEUS_GATEWAY: "variable:2" };
    const { sources, sinks } = await yaml(text, env);
    assert.deepEqual(sources[0]?.options, { trackingUri: "http://variable:1", maxExperiments: 3 });
    assert.deepEqual(sinks[1]?.options, { endpoint: "variable:2" });
  });

  it("puts variables into its texts, and keeps a key that is one a secret", async () => {
    const text = `
mlflow: { tracking_uri: "http://\${HOST_OF_MLFLOW}:\${PORT_OF_MLFLOW:-5000}" }
pramathus: { endpoint: "http://p/x", api_key: "\${KEY_OF_PRAMATHUS}" }`;
    const { sources, sinks, warnings } = await yaml(text, { HOST_OF_MLFLOW: "tracking" });
    assert.deepEqual(sources[0]?.options, { trackingUri: "http://tracking:5000" });
    assert.equal(JSON.stringify(sinks[1]?.options), '{"endpoint":"http://p/x","apiKey":"<secret KEY_OF_PRAMATHUS>"}');
    assert.match(warnings.join(), /^pramathus\.api_key: The secret "KEY_OF_PRAMATHUS" is not set/);
  });

  it("names the key of a variable that is not set, once", async () => {
    const message = await wrong(
      "mlflow: { tracking_uri: 'http://${A_HOST}' }\npramathus: { endpoint: '${AN_ENDPOINT}' }",
    );
    assert.deepEqual(message.split("\n").slice(1), [
      'mlflow.tracking_uri: the environment variable "A_HOST" is not set: export it, or give a default: ${A_HOST:-…}',
      'pramathus.endpoint: the environment variable "AN_ENDPOINT" is not set: export it, or give a default: ${AN_ENDPOINT:-…}',
    ]);
  });

  it("takes an empty file, empty sections and null", async () => {
    for (const text of ["", "mlflow:\n", "mlflow: { max_experiments: null }\npramathus: { api_key: null }"])
      assert.deepEqual(ids(await yaml(text)), ["prometheus"]);
  });

  it("takes a number or a truth that is quoted, put in by a variable, or written as YAML 1.1 knows it", async () => {
    const endpoint = "http://p/x";
    for (const interval of ["60", '"60"', '"${EVERY:-60}"', "${A_MINUTE}"]) {
      const { sources } = await yaml(`export:\n  interval: ${interval}\n`, { A_MINUTE: "60" });
      assert.deepEqual(sources[0]?.options, { interval: 60 });
    }
    for (const truth of ["true", '"True"', "yes", "On", '"${TRUTH:-YES}"']) {
      const { sources } = await yaml(`mlflow:\n  include_system_metrics: ${truth}\n`);
      assert.deepEqual(sources[0]?.options, { systemMetrics: true });
    }
    for (const lie of ["false", '"False"', "no", "OFF", "${TRUTH:-off}"]) {
      const text = `prometheus:\n  enabled: ${lie}\n  gateway: "g:1"\npramathus:\n  enabled: ${lie}\n  endpoint: ${endpoint}\n`;
      assert.deepEqual(ids(await yaml(text)), ["prometheus"]);
    }
    const { sources, sinks } = await yaml(`
mlflow: { max_experiments: "\${MOST:-7}" }
pramathus: { endpoint: "${endpoint}", timeout: "2.5", batch_size: "10" }`);
    assert.deepEqual(sources[0]?.options, { maxExperiments: 7 });
    assert.deepEqual(sinks[1]?.host, { timeout: 2500, batch: { size: 10 } });
  });

  it("names what is no number or truth by its key, with what the variables have made of it", async () => {
    const message = await wrong(`
mlflow: { include_system_metrics: "\${TRUTH:-maybe}", max_experiments: "" }
prometheus: { enabled: 1 }
pramathus: { enabled: y, timeout: 5s, batch_size: "\${A_SIZE}" }
export: { interval: "\${EVERY:-soon}" }`);
    assert.deepEqual(message.split("\n").slice(1), [
      'mlflow.max_experiments: expected a number: found ""',
      'mlflow.include_system_metrics: expected true or false: found "maybe"',
      "prometheus.enabled: expected true or false: found 1",
      'pramathus.enabled: expected true or false: found "y"',
      'pramathus.timeout: expected a number: found "5s"',
      'export.interval: expected a number: found "soon"',
      'pramathus.batch_size: the environment variable "A_SIZE" is not set: export it, or give a default: ${A_SIZE:-…}',
    ]);
  });

  it("asks for no variable of a Pushgateway that is switched off", async () => {
    for (const lie of ["false", "${PUSHING:-no}"]) {
      const text = `prometheus:\n  enabled: ${lie}\n  gateway: \${NO_SUCH}\n  job_name: "\${NO_SUCH}"\n`;
      assert.deepEqual(ids(await yaml(text)), ["prometheus"]);
    }
  });

  it("tells its warnings beside its mistakes", async () => {
    const message = await wrong('mlflow: { tracking_url: "http://x" }\nprometheus: { enabled: "maybe" }');
    assert.deepEqual(message.split("\n").slice(1), [
      'prometheus.enabled: expected true or false: found "maybe"',
      'mlflow.tracking_url: warning: has no counterpart in mlmon and is not used: did you mean "mlflow.tracking_uri"?',
    ]);
  });

  it("asks for no variable where another one has won, or where nothing is read", async () => {
    const text = 'features: { alpha: "${NO_SUCH}" }\nmlflow: { max_experiments: "${NO_SUCH}" }';
    assert.deepEqual((await yaml(text, { MAX_EXPERIMENTS: "3" })).sources[0]?.options, { maxExperiments: 3 });
  });

  it("says where it does not parse", async () => {
    assert.match(
      await wrong('mlflow:\n  tracking_uri: "http://x\n foo: ['),
      /^Cannot read .*: it is not YAML: .*line \d/,
    );
    assert.match(
      await wrong("mlflow:\n\ttracking_uri: x\n"),
      /Tabs are not allowed as indentation at line 2, column 1$/,
    );
    assert.match(await wrong("mlflow: { a: 1 }\nmlflow: { a: 2 }\n"), /Map keys must be unique at line 2/);
    for (const text of ["- a\n- b", "hello", "5"]) assert.match(await wrong(text), /expected sections such as mlflow:/);
  });

  it("names a value that cannot be used by its key, or by the variable that has won", async () => {
    const files = {
      "config.yaml": "mlflow: { tracking_uri: 'ftp://x' }\npramathus: { endpoint: 'http://p', batch_size: 0 }",
    };
    const sentence = "expected an http:// or https:// address, such as http://localhost:5000";
    assert.deepEqual((await mistake(files, {}, "config.yaml")).split("\n").slice(1), [
      `mlflow.tracking_uri: ${sentence}: found "ftp://x"`,
      "pramathus.batch_size: expected at least 1: found 0",
    ]);
    assert.deepEqual((await mistake(files, { MLFLOW_TRACKING_URI: "here" }, "config.yaml")).split("\n").slice(1), [
      `MLFLOW_TRACKING_URI: ${sentence}: found "here"`,
      "pramathus.batch_size: expected at least 1: found 0",
    ]);
  });

  it("names every value of a wrong type by its key", async () => {
    const message = await wrong(
      "mlflow: { tracking_uri: 5, max_experiments: many }\nprometheus: yes please\nexport: { interval: soon }",
    );
    assert.deepEqual(message.split("\n").slice(1), [
      "mlflow.tracking_uri: expected a text: found 5",
      'mlflow.max_experiments: expected a number: found "many"',
      'prometheus: expected an object with options: found "yes please"',
      'export.interval: expected a number: found "soon"',
    ]);
  });

  it("names values of a wrong type, unset variables and what cannot be used at once", async () => {
    const message = await wrong(
      "mlflow: { tracking_uri: '${NO_SUCH}', max_experiments: many }\npramathus: { endpoint: here, enabled: maybe, batch_size: 0 }",
    );
    assert.deepEqual(message.split("\n").slice(1), [
      'mlflow.max_experiments: expected a number: found "many"',
      'pramathus.enabled: expected true or false: found "maybe"',
      'mlflow.tracking_uri: the environment variable "NO_SUCH" is not set: export it, or give a default: ${NO_SUCH:-…}',
      "pramathus.batch_size: expected at least 1: found 0",
      'pramathus.endpoint: expected an http:// or https:// address: found "here"',
    ]);
  });
});

describe("loadConfig() from the environment alone", () => {
  const from = (env: Readonly<Record<string, string>>) => load({}, env);

  it("reads MLflow and serves the scrape page when nothing is set", async () => {
    const config = await from({});
    assert.equal(config.origin, "environment");
    assert.deepEqual(ids(config), ["prometheus"]);
    assert.deepEqual({ ...config.server }, { host: "127.0.0.1", port: 9890, token: undefined });
  });

  it("says that a config.yaml is not read, and how it would be", async () => {
    const { origin, warnings } = await load({ "config.yaml": "export: { interval: 5 }" });
    assert.equal(origin, "environment");
    assert.deepEqual(warnings, ["config.yaml: is not read unless it is named: --config config.yaml"]);
    assert.deepEqual(
      (await load({ "config.yaml": "", "mlmon.config.ts": `${head}export default ${body};` })).warnings,
      [],
    );
  });

  it("reads each variable of the original exporter", async () => {
    const { sources, sinks } = await from({
      MLFLOW_TRACKING_URI: "http://mlflow:5000",
      PROMETHEUS_GATEWAY: "gateway:9091",
      PROMETHEUS_JOB_NAME: "jobs",
      PRAMATHUS_ENDPOINT: "http://p/x",
      PRAMATHUS_API_KEY: "some-key",
      PRAMATHUS_ENABLED: "True",
      EXPORT_INTERVAL: "30",
      MAX_EXPERIMENTS: "10",
      INCLUDE_SYSTEM_METRICS: "yes",
    });
    const options = { trackingUri: "http://mlflow:5000", interval: 30, maxExperiments: 10, systemMetrics: true };
    assert.deepEqual(sources[0]?.options, options);
    assert.deepEqual(sinks[1]?.options, { endpoint: "gateway:9091", job: "jobs" });
    assert.equal(JSON.stringify(sinks[2]?.options), '{"endpoint":"http://p/x","apiKey":"<secret PRAMATHUS_API_KEY>"}');
  });

  it("leaves Pramathus out when it is switched off or has no endpoint", async () => {
    const PRAMATHUS_ENDPOINT = "http://p/x";
    for (const PRAMATHUS_ENABLED of ["false", "0", "no", "off", "FALSE"])
      assert.deepEqual(ids(await from({ PRAMATHUS_ENDPOINT, PRAMATHUS_ENABLED })), ["prometheus"]);
    assert.deepEqual(ids(await from({ PRAMATHUS_ENABLED: "true" })), ["prometheus"]);
    assert.deepEqual(ids(await from({ PRAMATHUS_ENDPOINT })), ["prometheus", "pramathus"]);
  });

  it("takes an empty variable for an unset one", async () => {
    const env = {
      EXPORT_INTERVAL: "",
      MAX_EXPERIMENTS: " ",
      PRAMATHUS_ENABLED: "",
      PROMETHEUS_GATEWAY: "",
      MLMON_LISTEN: "",
    };
    assert.deepEqual(ids(await from(env)), ["prometheus"]);
  });

  it("names every variable that cannot be understood", async () => {
    const message = await mistake(
      {},
      {
        EXPORT_INTERVAL: "soon",
        MAX_EXPERIMENTS: "1.5",
        INCLUDE_SYSTEM_METRICS: "maybe",
        PRAMATHUS_ENABLED: "perhaps",
        MLFLOW_TRACKING_URI: "mlflow",
        PROMETHEUS_GATEWAY: "a b",
        PRAMATHUS_ENDPOINT: "nowhere",
        MLMON_LISTEN: "here",
      },
    );
    assert.deepEqual(
      message
        .split("\n")
        .slice(1)
        .map((line) => line.split(": ").slice(0, 2).join(": "))
        .toSorted(),
      [
        "EXPORT_INTERVAL: expected a number of seconds above 0",
        "INCLUDE_SYSTEM_METRICS: expected true or false",
        "MAX_EXPERIMENTS: expected a whole number above 0",
        "MLFLOW_TRACKING_URI: expected an http:// or https:// address, such as http://localhost:5000",
        'MLMON_LISTEN: expected host:port such as "127.0.0.1:9890"',
        "PRAMATHUS_ENABLED: expected true or false",
        "PRAMATHUS_ENDPOINT: expected an http:// or https:// address",
        "PROMETHEUS_GATEWAY: expected an http:// or https:// address",
      ].toSorted(),
    );
  });

  it("finds the state folder: MLMON_STATE_DIR, else the first of systemd's", async () => {
    assert.equal((await from({ STATE_DIRECTORY: "/var/lib/mlmon:/var/lib/other" })).stateDir, "/var/lib/mlmon");
    assert.equal((await from({ STATE_DIRECTORY: "/a", MLMON_STATE_DIR: "/b" })).stateDir, "/b");
    assert.equal((await from({})).stateDir, undefined);
  });

  it("listens where MLMON_LISTEN says, which needs MLMON_TOKEN beyond loopback", async () => {
    assert.equal((await from({ MLMON_LISTEN: "127.0.0.1:80" })).server.port, 80);
    assert.match(
      await mistake({}, { MLMON_LISTEN: "0.0.0.0:80" }),
      /everyone who reaches "0\.0\.0\.0" could read: .*MLMON_TOKEN/,
    );
    const { server } = await from({ MLMON_LISTEN: "0.0.0.0:80", MLMON_TOKEN: "some-token" });
    assert.equal(String(server.token), "<secret MLMON_TOKEN>");
  });

  it("lets everyone read where MLMON_AUTH says so, and names it where nothing else can be set", async () => {
    const open = { MLMON_LISTEN: "0.0.0.0:80", MLMON_AUTH: "none" };
    assert.equal((await from(open)).server.token, undefined);
    assert.equal(String((await from({ ...open, MLMON_TOKEN: "t-o-k-e-n" })).server.token), "<secret MLMON_TOKEN>");
    assert.match(
      await mistake({}, { MLMON_LISTEN: "0.0.0.0:80" }),
      /set the variable MLMON_TOKEN, or MLMON_AUTH=none to let everyone read/,
    );
    assert.match(await mistake({}, { MLMON_AUTH: "basic" }), /MLMON_AUTH: expected "none", or MLMON_TOKEN.*"basic"/);
  });

  it("warns of a variable that is almost one of its own, and of no other", async () => {
    const env = { MLMON_STATE: "/x", MLMON_LISTN: ":1", MLMON_PRAMATHUS_KEY: "k", MLMON_LOG_LEVEL: "info" };
    assert.deepEqual((await from(env)).warnings, [
      "MLMON_STATE: is not read: did you mean MLMON_STATE_DIR?",
      "MLMON_LISTN: is not read: did you mean MLMON_LISTEN?",
    ]);
  });

  it("tells the warnings beside the mistakes, of a file in TypeScript too", async () => {
    const text = `import { secret } from "mlmon"; import { pramathus } from "mlmon/plugins/pramathus";
${head}export default { sources: [mlflow()], sinks: [pramathus({ endpoint: "x", apiKey: secret.env("NO_SUCH") })] };`;
    assert.deepEqual((await mistake(config(text), { MLMON_LISTN: ":1" })).split("\n").slice(1), [
      'sinks[0].endpoint: expected an http:// or https:// address: found "x"',
      "MLMON_LISTN: warning: is not read: did you mean MLMON_LISTEN?",
      'sinks[0].apiKey: warning: The secret "NO_SUCH" is not set: export the variable NO_SUCH',
    ]);
  });

  it("takes MLMON_TOKEN with a file too, unless the file says otherwise", async () => {
    const env = { MLMON_TOKEN: "some-token" };
    const plain = await load(config(`${head}export default ${body};`), env);
    assert.equal(String(plain.server.token), "<secret MLMON_TOKEN>");
    const open = await load(config(`${head}export default { ...${body}, server: { auth: "none" } };`), env);
    assert.equal(open.server.token, undefined);
  });
});
