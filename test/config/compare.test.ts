import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { compareConfigs, type Differences, markConfig } from "../../src/config/compare.ts";
import { loadConfig } from "../../src/config/load.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { type Config, filter, mlflow, rename, secret } from "../../src/index.ts";
import { temporaryFolder } from "../beds/wait.ts";

const endpoint = "http://127.0.0.1:1/";
const base = { sources: [mlflow({ trackingUri: "http://127.0.0.1:2" })], sinks: [prometheus()] };

function mark(config: Config) {
  return markConfig(resolveConfig(config, { origin: "test", secrets: "warn" }), [], 0);
}

/** What differs, without what is kept. */
function compare(before: Config, after: Config): object {
  return news(compareConfigs(mark(before), mark(after)));
}

function news({ sources, transforms, sinks, token, restart }: Differences): object {
  const of = ({ kept: _, ...rest }: Differences["sinks"]) =>
    Object.fromEntries(Object.entries(rest).filter(([, ids]) => ids.length > 0));
  return Object.fromEntries(
    Object.entries({ sources: of(sources), transforms, sinks: of(sinks), token, restart }).filter(
      ([, value]) => value === true || (value && Object.keys(value).length > 0),
    ),
  );
}

describe("compareConfigs()", () => {
  it("finds nothing between two equal ones, whatever the order in which options are written", () => {
    const first = pramathus({ endpoint, nonFinite: "skip" }, { batch: { size: 5, bytes: 100 } });
    const second = pramathus({ nonFinite: "skip", endpoint }, { batch: { bytes: 100, size: 5 } });
    assert.deepEqual(compare({ ...base, sinks: [first] }, { ...base, sinks: [second] }), {});
  });

  it("tells added, removed and changed sinks and sources by their ids", () => {
    const sink = (id: string, more: { batch?: { size: number } } = {}) => pramathus({ endpoint }, { id, ...more });
    const before = { ...base, sinks: [sink("a"), sink("b"), sink("c")] };
    const after = { ...base, sinks: [sink("d"), sink("c", { batch: { size: 7 } }), sink("a")] };
    assert.deepEqual(compare(before, after), { sinks: { changed: ["c"], added: ["d"], removed: ["b"] } });
    const other = { ...base, sources: [mlflow({ trackingUri: "http://127.0.0.1:3" })] };
    assert.deepEqual(compare(base, other), { sources: { changed: ["mlflow"] } });
  });

  it("sees another type under the same id", () => {
    const before = { ...base, sinks: [pramathus({ endpoint }, { id: "x" })] };
    assert.deepEqual(compare(before, { ...base, sinks: [prometheus({}, { id: "x" })] }), { sinks: { changed: ["x"] } });
  });

  it("compares functions by their text, and the order of transforms", () => {
    const small = filter(({ step }) => step < 5);
    const config = { ...base, transforms: [small, rename({ a: "b" })] };
    assert.deepEqual(
      compare(config, { ...base, transforms: [filter(({ step }) => step < 5), rename({ a: "b" })] }),
      {},
    );
    assert.deepEqual(compare(config, { ...base, transforms: [filter(({ step }) => step < 6), rename({ a: "b" })] }), {
      transforms: true,
    });
    assert.deepEqual(compare(config, { ...base, transforms: [rename({ a: "b" }), small] }), { transforms: true });
    const match = (limit: number) =>
      pramathus({ endpoint }, { match: limit > 5 ? ({ step }) => step > 5 : () => true });
    assert.deepEqual(compare({ ...base, sinks: [match(9)] }, { ...base, sinks: [match(1)] }), {
      sinks: { changed: ["pramathus"] },
    });
  });

  it("compares secrets by their value at the time of each load, and keeps none of it", () => {
    const config = { ...base, sinks: [pramathus({ endpoint, apiKey: secret.env("MLMON_TEST_COMPARED") })] };
    process.env.MLMON_TEST_COMPARED = "the first value";
    const before = mark(config);
    assert.ok(!JSON.stringify([...before.sinks]).includes("the first value"));
    assert.deepEqual(news(compareConfigs(before, mark(config))), {});
    process.env.MLMON_TEST_COMPARED = "the second value";
    assert.deepEqual(news(compareConfigs(before, mark(config))), { sinks: { changed: ["pramathus"] } });
    Reflect.deleteProperty(process.env, "MLMON_TEST_COMPARED");
    assert.deepEqual(news(compareConfigs(before, mark(config))), { sinks: { changed: ["pramathus"] } });
  });

  it("takes the token, and names what waits for the next start", () => {
    const server = (value: string, listen?: string) => ({
      token: secret.literal("t", value),
      ...(listen && { listen }),
    });
    assert.deepEqual(compare({ ...base, server: server("one") }, { ...base, server: server("two") }), { token: true });
    const far = { ...base, server: server("one", "127.0.0.1:1"), state: "elsewhere", series: { max: 5 } };
    assert.deepEqual(compare({ ...base, server: server("one") }, { ...far, journal: { maxBytes: "1MiB" } }), {
      restart: ["server.listen", "state", "journal", "series"],
    });
  });

  it("looks through a value that holds itself, and at maps, sets, dates and patterns", () => {
    const options = (day: number) => {
      const self: Record<string, unknown> = { map: new Map([["a", new Set([day])]]), at: new Date(day), like: /x/g };
      self.self = self;
      return { ...base, sinks: [{ ...prometheus(), options: self }] };
    };
    assert.deepEqual(compare(options(1), options(1)), {});
    assert.deepEqual(compare(options(1), options(2)), { sinks: { changed: ["prometheus"] } });
  });
});

describe("compareConfigs() of files", () => {
  const main = (limit: string) => `
import { filter, mlflow } from "mlmon";
import { prometheus } from "mlmon/plugins/prometheus";
import { pramathus } from "mlmon/plugins/pramathus";
import { mine } from "./mine.ts";
const limit = ${limit};
export default { sources: [mlflow({ trackingUri: "${endpoint}" })], transforms: [filter(({ step }) => step < limit)],
  sinks: [prometheus(), mine(), pramathus({ endpoint: "${endpoint}" }, { match: ({ step }) => step < limit })] };`;
  const mine = (word: string) => `
import { defineHttpSink, v } from "mlmon";
export const mine = defineHttpSink("mine", v.strictObject({}), () => ({ render: () => [], word: "${word}" }));`;

  async function load(folder: string) {
    const files: string[] = [];
    const onFile = (path: string) => void files.push(path);
    const config = await loadConfig({ file: "c.ts", cwd: folder, env: {}, secrets: "required", onFile });
    return markConfig(config, files, Number.POSITIVE_INFINITY);
  }

  it("keeps everything when no file has changed, also user's plugins and functions", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "c.ts"), main("5"));
    await writeFile(join(folder.path, "mine.ts"), mine("a"));
    const before = await load(folder.path);
    assert.equal(before.files.length, 2);
    assert.deepEqual(news(compareConfigs(before, await load(folder.path))), {});
  });

  it("counts what cannot be seen as changed when a file has: functions, and user's plugins", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "c.ts"), main("5"));
    await writeFile(join(folder.path, "mine.ts"), mine("a"));
    const before = await load(folder.path);
    await writeFile(join(folder.path, "mine.ts"), mine("b"));
    const changed = { transforms: true, sinks: { changed: ["mine", "pramathus"] } };
    assert.deepEqual(news(compareConfigs(before, await load(folder.path))), changed);
    await writeFile(join(folder.path, "mine.ts"), mine("a"));
    await writeFile(join(folder.path, "c.ts"), main("6"));
    assert.deepEqual(news(compareConfigs(before, await load(folder.path))), changed);
  });

  it("trusts no file that was written while it was read", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "c.ts");
    await writeFile(path, "");
    const config = resolveConfig({ ...base, transforms: [filter(() => true)] }, { origin: "test", secrets: "warn" });
    const now = Date.now();
    const marks = [now + 60_000, now + 60_000, now - 60_000].map((since) => markConfig(config, [path], since).code);
    assert.equal(marks[0], marks[1]);
    assert.notEqual(marks[1], marks[2]);
  });
});
