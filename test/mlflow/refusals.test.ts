import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { inspectSource } from "../../src/mlflow/inspect-source.ts";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { silentLog } from "../../src/model/log.ts";
import { secret } from "../../src/model/secret.ts";
import { context, memoryJournal, options } from "./memory.ts";
import { type LocalServer, localServer, type Seen } from "./proxy.ts";
import { testClient } from "./test-writer.ts";

type Reply = readonly [status: number, body: unknown];

/** A server of one empty store, as 3.17 answers; `refuse` is asked first. */
function server(refuse: (request: Seen) => Reply | undefined | Promise<Reply | undefined>): Promise<LocalServer> {
  return localServer(async (request, response) => {
    const [status, body] = (await refuse(request)) ?? [200, answers[request.path] ?? {}];
    const isText = typeof body === "string";
    const login = status === 401 ? { "www-authenticate": 'Basic realm="mlflow"' } : {};
    response.writeHead(status, { "content-type": isText ? "text/plain" : "application/json", ...login });
    response.end(isText ? body : JSON.stringify(body));
  });
}

const search = "/api/2.0/mlflow/experiments/search";
const answers: Record<string, unknown> = {
  "/api/3.0/mlflow/server-info": { store_type: "SqlStore", workspaces_enabled: true },
  "/api/3.0/mlflow/workspaces": { workspaces: [{ name: "default" }, { name: "team-a" }] },
  "/version": "3.17.2",
  [search]: { experiments: [{ experiment_id: "0", name: "Default", creation_time: 1 }] },
};
const login = { username: "me", password: secret.literal("a password", "word") };
const inspect = (url: string, change = {}) => inspectSource(options(url, change), new AbortController().signal);

describe("a login that MLflow refuses", () => {
  const cases = {
    "is asked for where none is set": [{}, /it asks for a login \(401\)/, /^set username and password, or token/],
    "is to be corrected where one is set": [login, /it refuses the credentials \(401\)/, /^correct username/],
    "is to be another where MLflow takes no token": [
      { token: secret.literal("a token", "word") },
      /it takes no token \(401\)/,
      /^set username and password \(/,
    ],
  } as const;
  for (const [what, [change, message, mend]] of Object.entries(cases)) {
    it(what, async () => {
      const { url, close } = await server(({ path }) => (path === search ? [401, "not authenticated"] : undefined));
      const { problems } = await inspect(url, change);
      close();
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? "", message);
      assert.match(problems[0]?.mend ?? "", mend);
    });
  }

  it("lacks another right to write than to read", async () => {
    const { url, close } = await server(() => [403, "Permission denied"]);
    const client = testClient(url);
    const create = client.post("/api/2.0/mlflow/experiments/create", "{}", v.unknown());
    await assert.rejects(create, /create is forbidden \(403 Permission denied\): grant the user EDIT/);
    await assert.rejects(client.get("/api/2.0/mlflow/runs/get", [], v.unknown()), /: grant the user READ/);
    close();
  });
});

describe("a workspace that MLflow does not have", () => {
  const words = {
    nope: [404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "Workspace 'nope' not found" }],
    "Bad Name": [400, { error_code: "INVALID_PARAMETER_VALUE", message: "Workspace name 'Bad Name' must match" }],
  } as const;
  for (const [workspace, refusal] of Object.entries(words)) {
    it(`is one problem, beside the names of those that it has: ${workspace}`, async () => {
      const { url, close } = await server(({ headers }) => (headers["x-mlflow-workspace"] ? refusal : undefined));
      const { facts, problems } = await inspect(url, { workspace });
      close();
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? "", new RegExp(`Workspace .*'${workspace}'`));
      assert.match(problems[0]?.mend ?? "", /^correct workspace \(MLFLOW_WORKSPACE\)/);
      const { workspaces, version } = Object.fromEntries(facts);
      assert.deepEqual([workspaces, version], ["default, team-a", "3.17.2"]);
    });
  }
});

describe("a slow MLflow", () => {
  const slow = async (isSlow: (nth: number) => boolean, change: object) => {
    let nth = 0;
    const { url, close } = await server(async ({ path }) => {
      if (path === search && isSlow(nth++)) await sleep(300);
      return undefined;
    });
    const { problems } = await inspect(url, change);
    close();
    return problems.map(({ message }) => message);
  };

  it("hashes passwords where each search behind a login takes long", async () => {
    const [message, ...others] = await slow(() => true, login);
    assert.match(message ?? "", /hashes the password/);
    assert.deepEqual(others, []);
  });

  it("is not said to hash a password where none is sent, nor where only the first search was slow", async () => {
    assert.deepEqual(await slow(() => true, {}), []);
    assert.deepEqual(await slow((nth) => nth === 0, login), []);
  });
});

describe("an MLflow without an experiment to see", () => {
  it("is warned of, once", async () => {
    const { url, close } = await server(({ path }) => (path === search ? [200, {}] : undefined));
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const journal = memoryJournal();
    for await (const batch of mlflowSource(options(url)).read(context(journal, { log }))) journal.take(batch);
    close();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /no experiment .*check the rights of the user, the workspace/);
  });
});
