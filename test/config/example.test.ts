import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { temporaryFolder } from "../beds/wait.ts";

const root = join(import.meta.dirname, "../..");
const variables = {
  PROMETHEUS_GATEWAY: "gateway:9091",
  PROMETHEUS_JOB_NAME: "jobs",
  PRAMATHUS_ENDPOINT: "http://p/x",
  PRAMATHUS_API_KEY: "some-key",
};

/** What a configuration comes to, where it stands left out. */
async function parts(cwd: string) {
  const { sinks, series, journal, server } = await loadConfig({ cwd, env: process.env, secrets: "required" });
  return { sinks: sinks.map(({ id, options }) => [id, JSON.stringify(options)]), series, journal, server };
}

describe("the mlmon.config.ts of the repository", () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  it("delivers what mlmon does without a file, with no variable set and with those of the original exporter", async () => {
    await using empty = await temporaryFolder();
    for (const set of [{}, variables]) {
      for (const name of Object.keys(variables)) delete process.env[name];
      Object.assign(process.env, set);
      assert.deepEqual(await parts(root), await parts(empty.path));
    }
  });
});
