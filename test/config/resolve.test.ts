import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineHttpSink, defineSource, filter, mlflow, Secret, secret, v } from "mlmon";
import { console as consoleSink } from "mlmon/plugins/console";
import { pramathus } from "mlmon/plugins/pramathus";
import { prometheus } from "mlmon/plugins/prometheus";
import { pushgateway } from "mlmon/plugins/pushgateway";
import { mistakes, resolved } from "./make-config.ts";

const sources = [mlflow({ trackingUri: "http://localhost:5000" })];
const sinks = [prometheus()];

/** Calls a factory as JavaScript may: with anything. */
function call(factory: unknown, ...args: readonly unknown[]): unknown {
  assert.ok(typeof factory === "function");
  return Reflect.apply(factory, undefined, args);
}

describe("resolveConfig() on options", () => {
  it("names the nearest option for a misspelt one", () => {
    const config = { sources: [call(mlflow, { trackingUrl: "http://x" })], sinks };
    assert.deepEqual(mistakes(config), ['sources[0].trackingUrl: unknown option: did you mean "trackingUri"?']);
  });

  it("names all options there are when none is near", () => {
    const config = { sources, sinks: [call(prometheus, { frobnicate: 1 })] };
    assert.deepEqual(mistakes(config), ['sinks[0].frobnicate: unknown option: expected one of "path"']);
  });

  it("knows the options at every depth: entry, host, nested, top level", () => {
    const host = { tiemout: 1, batch: { sise: 1 }, retry: { bass: 1 } };
    const config = { sources, sinks: [call(prometheus, {}, host)], sereis: {}, server: { listn: "x" } };
    assert.deepEqual(mistakes(config).toSorted(), [
      'sereis: unknown option: did you mean "series"?',
      'server.listn: unknown option: did you mean "listen"?',
      'sinks[0].batch.sise: unknown option: did you mean "size"?',
      'sinks[0].retry.bass: unknown option: did you mean "base"?',
      'sinks[0].tiemout: unknown option: did you mean "timeout"?',
    ]);
  });

  it("names every unknown option of one object", () => {
    const config = { sources: [call(mlflow, { trackingURI: "x", concurency: 1 })], sinks, logs: 1, sereis: 2 };
    assert.deepEqual(
      mistakes(config).map((line) => line.split(":")[0]),
      ["logs", "sereis", "sources[0].trackingURI", "sources[0].concurency"],
    );
  });

  it("names a missing option", () => {
    assert.deepEqual(mistakes({ sources, sinks: [call(pramathus)] }), ["sinks[0].endpoint: is missing"]);
  });

  it("names every mistake at once, each with its path", () => {
    const config = {
      sources: [call(mlflow, { interval: "5 parsecs", maxExperiments: 1.5, systemMetrics: "yes", include: "some" })],
      sinks: [
        call(prometheus, { path: "metrics" }),
        call(pushgateway, { endpoint: "not an address" }, { id: "a b" }),
        call(pramathus, { endpoint: 5 }, { batch: { size: 0, bytes: "5 XB" }, match: 5 }),
      ],
      series: { retention: "ever", max: 0 },
      journal: { maxBytes: "much" },
      server: { listen: "here", auth: "some" },
      state: 5,
    };
    assert.deepEqual(mistakes(config).toSorted(), [
      'journal.maxBytes: expected a size such as "500kB", "64MiB" or "1GiB": found "much"',
      "series.max: expected at least 1: found 0",
      'series.retention: expected a duration such as "500ms", "60s", "10m", "2h" or "30d": found "ever"',
      'server.auth: expected "none": found "some"',
      'sinks[0].path: expected a text that starts with "/": found "metrics"',
      'sinks[1].endpoint: expected an http:// or https:// address: found "http://not an address"',
      'sinks[1].id: expected letters, digits, dot, dash and underscore: found "a b"',
      'sinks[2].batch.bytes: expected a size such as "500kB", "64MiB" or "1GiB": found "5 XB"',
      "sinks[2].batch.size: expected at least 1: found 0",
      "sinks[2].endpoint: expected a text: found 5",
      "sinks[2].match: expected a function: found 5",
      'sources[0].include: expected "history" or "latest": found "some"',
      'sources[0].interval: expected a duration such as "500ms", "60s", "10m", "2h" or "30d": found "5 parsecs"',
      "sources[0].maxExperiments: expected a whole number: found 1.5",
      'sources[0].systemMetrics: expected true or false: found "yes"',
      "state: expected a text: found 5",
    ]);
  });

  it("tells one value's mistake once, and what to do with a store that is no server", () => {
    const found = mistakes({ sources: [mlflow({ trackingUri: "sqlite:///mlflow.db" })], sinks });
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", /sources\[0\]\.trackingUri: .*start "mlflow server" on it/);
  });

  it("says of options that do not go together just that", () => {
    const half = pushgateway({ endpoint: "localhost", username: "ada" });
    assert.deepEqual(mistakes({ sources, sinks: [half] }), ["sinks[0]: username and password go together"]);
  });

  it("refuses a secret that was put into an address as text", () => {
    const endpoint = `http://localhost/?key=${secret.env("NOPE")}`;
    const [mistake = ""] = mistakes({ sources, sinks: [pramathus({ endpoint })] });
    assert.match(mistake, /^sinks\[0\]\.endpoint: expected an address without a secret in it, as only headers/);
  });

  it("refuses a wait that no timer can wait, such as milliseconds where seconds are meant", () => {
    const config = {
      sources: [mlflow({ interval: 3_600_000, timeout: "30d" })],
      sinks: [prometheus({}, { timeout: "25d", batch: { interval: "25d" }, retry: { base: "25d", cap: "24d" } })],
      series: { retention: "90d" },
    };
    const expected = 'expected at most "24d", a bare number being seconds: found';
    assert.deepEqual(mistakes(config), [
      `sources[0].interval: ${expected} 3600000`,
      `sources[0].timeout: ${expected} "30d"`,
      `sinks[0].batch.interval: ${expected} "25d"`,
      `sinks[0].timeout: ${expected} "25d"`,
      `sinks[0].retry.base: ${expected} "25d"`,
    ]);
  });

  it("refuses a first backoff that is longer than the longest", () => {
    const of = (retry: { base?: string; cap?: string }) => mistakes({ sources, sinks: [prometheus({}, { retry })] });
    const longer = (base: string, cap: string) => [
      `sinks[0].retry.base: expected at most ${cap} s, the longest backoff (retry.cap): found "${base} s"`,
    ];
    assert.deepEqual(of({ base: "1h", cap: "1s" }), longer("3600", "1"));
    assert.deepEqual(of({ base: "2m" }), longer("120", "60"));
    assert.deepEqual(of({ base: "1h", cap: "1h" }), []);
    assert.deepEqual(of({ cap: "500ms" }), []);
  });

  it("says what options are when they are none", () => {
    const config = { sources: [call(mlflow, null)], sinks: [call(prometheus, {}, null)] };
    assert.deepEqual(mistakes(config), [
      "sources[0]: expected an object with options: found null",
      "sinks[0]: expected an object with options: found null",
    ]);
    assert.deepEqual(mistakes({ sources, sinks: [call(prometheus, "x")] }), [
      'sinks[0]: expected an object with options: found "x"',
    ]);
  });
});

describe("resolveConfig() on entries", () => {
  it("says which kind an entry is that stands in the wrong list", () => {
    const config = { sources: [prometheus()], transforms: [mlflow()], sinks: [filter(() => true), 5, {}] };
    assert.deepEqual(mistakes(config), [
      "sources[0]: expected a source such as mlflow(): found the sink prometheus()",
      "transforms[0]: expected a transform such as filter(…): found the source mlflow()",
      "sinks[0]: expected a sink such as prometheus(): found the transform filter()",
      "sinks[1]: expected a sink such as prometheus(): found 5",
      "sinks[2]: expected a sink such as prometheus(): found an object",
    ]);
  });

  it("says that a factory was not called", () => {
    function mySink() {}
    const [first = "", second = ""] = mistakes({ sources: [mlflow], sinks: [mySink] });
    assert.match(first, /^sources\[0\]: .*function.*: it must be called, with \(\) after its name$/);
    assert.match(second, /^sinks\[0\]: .*the function mySink: it must be called/);
  });

  it("takes no object that only looks like an entry", () => {
    const config = { sources: [{ kind: "source", type: "x", prepare: 5 }], sinks };
    assert.equal(mistakes(config).length, 1);
  });

  it("names both entries of one id, and takes two with an id each", () => {
    assert.deepEqual(mistakes({ sources, sinks: [prometheus(), consoleSink(), prometheus()] }), [
      'sinks[2]: has the id "prometheus" of sinks[0]: give it another one, prometheus({ … }, { id: "…" })',
    ]);
    const two = resolved({ sources, sinks: [prometheus(), prometheus({ path: "/b" }, { id: "b" })] });
    assert.deepEqual(
      two.sinks.map(({ id }) => id),
      ["prometheus", "b"],
    );
  });

  it("skips falsy entries and keeps the paths of the others", () => {
    const config = { sources: [false, ...sources], sinks: [null, undefined, 0, "", call(prometheus, { x: 1 })] };
    assert.deepEqual(mistakes(config), ['sinks[4].x: unknown option: expected one of "path"']);
  });

  it("asks for a source and a sink when there is none, not when the only one is mistaken", () => {
    assert.deepEqual(mistakes({ sources: [], sinks: [false] }), [
      "sources: is empty: add mlflow()",
      "sinks: is empty: add prometheus()",
    ]);
    assert.deepEqual(mistakes({ sources: "x", sinks: null }), [
      'sources: expected a list of sources: found "x"',
      "sinks: expected a list of sinks: found null",
    ]);
    assert.deepEqual(mistakes({ sinks }), ["sources: is missing"]);
  });

  it("names the plugin that fails while it is made", () => {
    const broken = defineHttpSink("broken", v.strictObject({}), () => {
      throw new TypeError("no such thing");
    });
    const [sink] = resolved({ sources, sinks: [broken()] }).sinks;
    assert.throws(() => sink?.create(), {
      name: "ConfigError",
      message: "Cannot make sinks[0], broken(): no such thing",
    });
  });

  it("names the plugin whose schema throws, beside the other mistakes", () => {
    const parsing = v.pipe(
      v.string(),
      v.transform((text): string => JSON.parse(text)),
    );
    const broken = defineHttpSink("broken", v.strictObject({ x: parsing }), () => ({ render: () => [] }));
    const [first = "", second = ""] = mistakes({ sources, sinks: [broken({ x: "{" }), call(prometheus, { y: 1 })] });
    assert.match(first, /^sinks\[0\]: the schema of broken\(\) threw instead of naming a mistake: /);
    assert.match(second, /^sinks\[1\]\.y: /);
  });

  it("says in plain words what startFrom may be", () => {
    assert.deepEqual(mistakes({ sources, sinks: [call(prometheus, {}, { startFrom: "yesterday" })] }), [
      'sinks[0].startFrom: expected "now", "beginning", or a date such as "2026-03-01" or "2026-03-01T12:00Z": found "yesterday"',
    ]);
  });

  it("says what a configuration is when it is none", () => {
    for (const config of [null, undefined, "x", 5, [prometheus()]])
      assert.match(mistakes(config)[0] ?? "", /expected an object/);
  });
});

describe("resolveConfig() on secrets", () => {
  const apiKey = secret.env("MLMON_TEST_UNSET");
  const config = { sources, sinks: [pramathus({ endpoint: "http://user:pw@localhost/x?k=1", apiKey })] };

  it("refuses an unset one where it is needed, and warns where it is not", () => {
    const sentence = 'sinks[0].apiKey: The secret "MLMON_TEST_UNSET" is not set: export the variable MLMON_TEST_UNSET';
    assert.deepEqual(mistakes(config), [sentence]);
    assert.deepEqual(resolved(config, "warn").warnings, [sentence]);
  });

  it("finds one at any depth, and in the server's token", () => {
    const schema = v.strictObject({ logins: v.array(v.strictObject({ key: v.instance(Secret) })) });
    const deep = defineSource("deep", schema, () => ({ async *read() {} }));
    const found = mistakes({ sources: [deep({ logins: [{ key: apiKey }] })], sinks, server: { token: apiKey } });
    assert.deepEqual(
      found.map((line) => line.split(": ")[0]),
      ["sources[0].logins[0].key", "server.token"],
    );
  });

  it("never shows the value of a secret option, nor an address's user, password and query", () => {
    const found = mistakes({
      sources: [
        call(mlflow, { token: 12_345_678, password: ["hunter2"], trackingUri: "ftp://joe:hunter2@x/y?k=hunter2" }),
      ],
      sinks: [call(pramathus, { endpoint: `joe:hunter2${"x".repeat(100)}@x`, apiKey: { hunter2: 1 } })],
    }).join("\n");
    assert.match(found, /sources\[0\]\.token: .*found a value that is not shown/);
    assert.doesNotMatch(found, /hunter2|12345678/);
  });
});

describe("resolveConfig() on the address", () => {
  it("takes another host than loopback with a token or an explicit auth only", () => {
    const listen = "0.0.0.0:9890";
    assert.deepEqual(mistakes({ sources, sinks, server: { listen } }), [
      'server.listen: everyone who reaches "0.0.0.0" could read: set server.token or the variable MLMON_TOKEN, or server.auth to "none"',
    ]);
    assert.deepEqual(mistakes({ sources, sinks, server: { listen, auth: "none" } }), []);
    const token = secret.literal("token", "some-token");
    assert.equal(resolved({ sources, sinks, server: { listen, token } }).server.host, "0.0.0.0");
  });

  it("is named beside every other mistake", () => {
    assert.deepEqual(mistakes({ sources, sinks: [], series: { max: 0 }, server: { listen: "::" } }), [
      "series.max: expected at least 1: found 0",
      "sinks: is empty: add prometheus()",
      'server.listen: expected host:port such as "127.0.0.1:9890": found "::"',
    ]);
    assert.match(
      mistakes({ sources, sinks, extra: 1, server: { listen: "0.0.0.0:1" } }).join("\n"),
      /extra: .*\nserver\.listen: everyone who reaches/,
    );
  });
});
