import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { mlflowSource } from "../../src/mlflow/mlflow.ts";
import { MlflowError } from "../../src/mlflow/mlflow-error.ts";
import { secret } from "../../src/model/secret.ts";
import { follow } from "./follow.ts";
import { context, type MemoryJournal, memoryJournal, options } from "./memory.ts";
import { type LocalServer, localServer, type Seen } from "./proxy.ts";

type Reply = (request: Seen, response: ServerResponse) => boolean;
const timeout = 30_000;
const quick = { attempts: 3, backoffMs: 5 };
const send = (response: ServerResponse, status: number, type: string, body: string, headers = {}) => {
  response.writeHead(status, { "content-type": type, ...headers }).end(body);
  return true;
};
const json = (response: ServerResponse, body: unknown, status = 200) =>
  send(response, status, "application/json", JSON.stringify(body));
const text = (response: ServerResponse, status: number, body: string, type = "text/plain") =>
  send(response, status, type, body);
const points = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: "x", value: i, timestamp: 1000 + i, step: i }));

/** One experiment with one run and one series of the given points; `reply` answers first where it wants to. */
function fakeMlflow(
  list: () => ReturnType<typeof points>,
  reply: Reply = () => false,
  root = "",
): Promise<LocalServer> {
  return localServer((request, response) => {
    if (reply(request, response)) return;
    const url = new URL(request.path, "http://x");
    const path = url.pathname.startsWith(root) ? url.pathname.slice(root.length) : "";
    if (path === "/api/2.0/mlflow/experiments/search") {
      return void json(response, { experiments: [{ experiment_id: "1", name: "e", creation_time: 1 }] });
    }
    if (path === "/api/2.0/mlflow/runs/search") {
      const info = { run_id: "a".repeat(32), experiment_id: "1", status: "RUNNING", start_time: 1 };
      const last = list().at(-1);
      return void json(response, { runs: [{ info, data: { metrics: last ? [last] : [] } }] });
    }
    if (path === "/api/2.0/mlflow/metrics/get-history") {
      const token = url.searchParams.get("page_token");
      const from = token ? Number(JSON.parse(atob(token)).offset) : 0;
      const size = Number(url.searchParams.get("max_results"));
      const page = list().slice(from, from + size);
      const more = from + size < list().length;
      return void json(response, {
        metrics: page,
        ...(more && { next_page_token: btoa(`{"offset": ${from + size}}`) }),
      });
    }
    text(response, 404, "<html>Not Found</html>", "text/html");
  });
}

async function readOnce(server: LocalServer, journal: MemoryJournal, change = {}, limits = {}): Promise<void> {
  const source = mlflowSource(options(server.url, change), { ...quick, ...limits });
  for await (const batch of source.read(context(journal))) journal.take(batch);
}

const values = ({ batches }: MemoryJournal) => batches.flatMap(({ samples }) => samples.map(({ value }) => value));
const isHistory = ({ path }: Seen) => path.includes("/get-history?");

describe("mlflow source on a scripted server", () => {
  it("reads a server that ignores page tokens without repeating a point", { timeout }, async () => {
    const list = points(25);
    const server = await fakeMlflow(
      () => list,
      (request, response) => {
        if (!isHistory(request)) return false;
        return json(response, { metrics: list });
      },
    );
    const journal = memoryJournal();
    await readOnce(server, journal, {}, { pageSize: 10 });
    list.push({ key: "x", value: 25, timestamp: 2000, step: 25 });
    await readOnce(server, journal, {}, { pageSize: 10 });
    list.unshift({ key: "x", value: -1, timestamp: 1, step: 0 });
    await readOnce(server, journal, {}, { pageSize: 10 });
    server.close();
    assert.deepEqual(values(journal), [...points(26).map(({ value }) => value), -1]);
  });

  it("reads a server that ignores page tokens and gives points in another order each time", { timeout }, async () => {
    const at = (time: number) => ({ key: "x", value: time, timestamp: time, step: time });
    let list = [at(1), at(9), at(5)];
    const server = await fakeMlflow(
      () => list,
      (request, response) => isHistory(request) && json(response, { metrics: list }),
    );
    const journal = memoryJournal();
    await readOnce(server, journal);
    list = [at(1), at(3), at(5), at(9)];
    await readOnce(server, journal);
    server.close();
    assert.deepEqual(values(journal), [1, 9, 5, 3]);
  });

  it("does not follow an empty page with the same token for ever", { timeout }, async () => {
    const token = btoa('{"offset": 0}');
    const server = await fakeMlflow(
      () => points(3),
      (request, response) => {
        if (!isHistory(request)) return false;
        return json(response, { metrics: [], next_page_token: token });
      },
    );
    const journal = memoryJournal();
    await readOnce(server, journal);
    server.close();
    assert.deepEqual(values(journal), []);
    assert.ok(server.seen.length < 20);
  });

  it("takes no run for gone when a page of runs is empty but has a token", { timeout }, async () => {
    let broken = false;
    const server = await fakeMlflow(
      () => points(3),
      ({ path }, response) => {
        if (!broken || !path.endsWith("/runs/search")) return false;
        return json(response, { runs: [], next_page_token: "more" });
      },
    );
    const journal = memoryJournal();
    await readOnce(server, journal);
    broken = true;
    await assert.rejects(
      readOnce(server, journal),
      /runs\/search gave no answer of MLflow \(the same page token again\)/,
    );
    broken = false;
    await readOnce(server, journal);
    server.close();
    assert.deepEqual(values(journal), [0, 1, 2]);
  });

  it("reads repeated points as often as the server has them", { timeout }, async () => {
    const same = { key: "x", value: 1, timestamp: 5, step: 0 };
    const list = [same, same, { ...same, step: 1 }];
    const server = await fakeMlflow(() => list);
    const journal = memoryJournal();
    await readOnce(server, journal);
    list.unshift(same, { ...same, value: 7, timestamp: 1 });
    await readOnce(server, journal);
    server.close();
    assert.deepEqual(values(journal), [1, 1, 1, 7, 1]);
  });

  const refusals: readonly (readonly [what: string, Reply, trouble: string, words: RegExp])[] = [
    ["401", (_, response) => text(response, 401, "You are not authenticated"), "auth", /MLFLOW_TRACKING_USERNAME/],
    [
      "an unlisted host",
      (_, response) => text(response, 403, "Invalid Host header - possible DNS rebinding attack detected"),
      "host",
      /--allowed-hosts "127\.0\.0\.1:\d+,localhost:\*"/,
    ],
    ["a missing right", (_, response) => text(response, 403, "Permission denied"), "permission", /READ/],
    ["an HTML 404", (_, response) => text(response, 404, "<h1>nginx</h1>", "text/html"), "unknown", /static-prefix/],
    ["a login page", (_, response) => text(response, 200, "<html>Sign in</html>", "text/html"), "foreign", /proxy/],
    [
      "a refused request",
      (_, response) => json(response, { error_code: "INVALID_PARAMETER_VALUE", message: "no" }, 400),
      "invalid",
      /400 \(no\)/,
    ],
    ["a server that stays away", (_, response) => text(response, 503, "starting"), "transient", /503/],
    ["half a JSON for ever", (_, response) => text(response, 200, '{"experiments": [{'), "transient", /cut/],
  ];
  for (const [what, reply, trouble, words] of refusals) {
    it(`names the mend of ${what}`, { timeout }, async () => {
      const server = await fakeMlflow(() => points(1), reply);
      const failure = await readOnce(server, memoryJournal()).catch((error: unknown) => error);
      server.close();
      assert.ok(failure instanceof MlflowError);
      assert.equal(failure.trouble, trouble);
      assert.match(failure.message, words);
    });
  }

  it("goes on after 429, 503, half a JSON and a death in the middle of a page", { timeout }, async () => {
    const faults: Reply[] = [
      (_, response) => send(response, 429, "text/plain", "", { "retry-after": "0" }),
      (_, response) => json(response, { error_code: "TEMPORARILY_UNAVAILABLE", message: "database is locked" }, 503),
    ];
    const deaths: Reply[] = [
      (_, response) => send(response, 200, "application/json", '{"metrics": [{"key": "x", "va'),
      (_, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
        response.write('{"metrics": [', () => response.destroy());
        return true;
      },
    ];
    const server = await fakeMlflow(
      () => points(30),
      (request, response) => {
        if (isHistory(request) && request.path.includes("page_token"))
          return deaths.shift()?.(request, response) ?? false;
        return request.path.includes("experiments") ? (faults.shift()?.(request, response) ?? false) : false;
      },
    );
    const journal = memoryJournal();
    await readOnce(server, journal, {}, { pageSize: 10, attempts: 4 });
    server.close();
    assert.deepEqual(
      values(journal),
      points(30).map(({ value }) => value),
    );
    assert.equal(faults.length + deaths.length, 0);
  });

  it("waits as long as Retry-After says", { timeout }, async () => {
    let refused = 0;
    const server = await fakeMlflow(
      () => points(1),
      ({ path }, response) => {
        if (!path.includes("experiments") || refused > 0) return false;
        refused = Date.now();
        response.writeHead(429, { "retry-after": "1" }).end();
        return true;
      },
    );
    await readOnce(server, memoryJournal());
    server.close();
    assert.ok(Date.now() - refused >= 950);
  });

  it("falls back to single series where the bulk endpoint is missing or cut", { timeout }, async () => {
    const runs = ["a", "b", "c"].map((letter) => letter.repeat(32));
    for (const bulk of ["missing", "cut", "foreign"]) {
      const server = await fakeMlflow(
        () => points(4),
        ({ path }, response) => {
          if (path.includes("server-info")) json(response, { store_type: "SqlStore", workspaces_enabled: false });
          else if (path.includes("runs/search")) {
            const infos = runs.map((run_id, start_time) => ({
              run_id,
              experiment_id: "1",
              status: "RUNNING",
              start_time,
            }));
            json(response, { runs: infos.map((info) => ({ info, data: { metrics: [points(4).at(-1)] } })) });
          } else if (path.includes("bulk") && bulk === "cut") {
            const rows = runs.flatMap((run_id) => points(4).map((point) => ({ ...point, run_id })));
            json(response, { metrics: rows.slice(0, 6) });
          } else if (path.includes("bulk") && bulk === "foreign") text(response, 200, "<html>", "text/html");
          else return false;
          return true;
        },
      );
      const journal = memoryJournal();
      await readOnce(server, journal);
      server.close();
      assert.deepEqual(values(journal), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], bulk);
      assert.ok(server.seen.some(({ path }) => path.includes("get-history-bulk")));
    }
  });

  it("sends Basic before Bearer, keeps the prefix, and no Origin", { timeout }, async () => {
    const server = await fakeMlflow(() => points(1), undefined, "/ml/flow");
    const prefixed = { ...server, url: `${server.url}/ml/flow/` };
    const password = secret.literal("p", "geheim");
    const token = secret.literal("t", "zeichen");
    await readOnce(prefixed, memoryJournal(), { username: "ü", password, token });
    const basic = `Basic ${Buffer.from("ü:geheim").toString("base64")}`;
    assert.ok(server.seen.length > 2);
    for (const { headers, path } of server.seen) {
      assert.equal(headers.authorization, basic);
      assert.equal(headers.origin, undefined);
      assert.equal(headers["x-mlflow-workspace"], undefined);
      assert.ok(path.startsWith("/ml/flow/a"));
    }
    server.seen.length = 0;
    await readOnce(prefixed, memoryJournal(), { token, workspace: "team" });
    server.close();
    for (const { headers } of server.seen) {
      assert.equal(headers.authorization, "Bearer zeichen");
      assert.equal(headers["x-mlflow-workspace"], undefined);
    }
  });

  it("sends the workspace where the server has workspaces", { timeout }, async () => {
    const server = await fakeMlflow(
      () => points(1),
      ({ path }, response) => path.includes("server-info") && json(response, { workspaces_enabled: true }),
    );
    await readOnce(server, memoryJournal(), { workspace: "team" });
    server.close();
    const searches = server.seen.filter(({ path }) => path.includes("search"));
    assert.ok(searches.length > 0 && searches.every(({ headers }) => headers["x-mlflow-workspace"] === "team"));
  });

  it("goes on polling when the clock is set back", { timeout }, async () => {
    const server = await fakeMlflow(() => points(3));
    const stopping = new AbortController();
    let shiftMs = 0;
    const ctx = context(memoryJournal(), {
      once: false,
      signal: stopping.signal,
      now: () => Date.now() + shiftMs,
      polled() {
        shiftMs -= 3_600_000;
        if (shiftMs < -3 * 3_600_000) stopping.abort();
      },
    });
    const reading = mlflowSource(options(server.url, { interval: "100ms" }), { sweepMs: 1e9 }).read(ctx);
    // Without a further poll this never ends.
    for await (const batch of reading) assert.ok(batch);
    server.close();
    assert.ok(shiftMs < -3 * 3_600_000);
  });

  it("says that there are no model versions when the last has gone", { timeout }, async () => {
    let versions = [{ name: "m", version: "1" }];
    const server = await fakeMlflow(
      () => points(1),
      ({ path }, response) => {
        if (path.includes("/registered-models/search")) return json(response, { registered_models: [{ name: "m" }] });
        return path.includes("/model-versions/search") && json(response, { model_versions: versions });
      },
    );
    const journal = memoryJournal();
    const source = follow(mlflowSource(options(server.url, { interval: "100ms" }), { modelsMs: 10 }), journal);
    const told = () =>
      journal.batches.flatMap(({ facts = [] }) => facts.filter(({ name }) => name === "model_version_info"));
    await source.until("the version", () => told().length === 1);
    versions = [];
    await source.until("its end", () => told().length === 2);
    const { polls } = source;
    const count = polls.length;
    await source.until("more polls", () => polls.length > count + 2);
    versions = [{ name: "m", version: "2" }];
    await source.until("the next version", () => told().length === 3);
    await source.stop();
    server.close();
    assert.deepEqual(
      told().map(({ value, labels }) => [value, labels?.version]),
      [
        [1, "1"],
        [Number.NaN, undefined],
        [1, "2"],
      ],
    );
  });

  it("takes no prompt for a model", { timeout }, async () => {
    const tags = [{ key: "mlflow.prompt.is_prompt", value: "true" }];
    const server = await fakeMlflow(
      () => points(1),
      ({ path }, response) => {
        if (path.includes("/registered-models/search")) {
          return json(response, { registered_models: [{ name: "m" }, { name: "greeting", tags }] });
        }
        const versions = ["m", "greeting"].map((name) => ({ name, version: "1" }));
        return path.includes("/model-versions/search") && json(response, { model_versions: versions });
      },
    );
    const journal = memoryJournal();
    await readOnce(server, journal);
    server.close();
    const facts = journal.batches.flatMap(({ facts = [] }) => facts);
    const models = facts.filter(({ name }) => name === "model_version_info");
    assert.deepEqual(
      models.map(({ labels }) => labels?.name),
      ["m"],
    );
  });

  it("reads runs where the store has no registry", { timeout }, async () => {
    const refusal = { error_code: "FEATURE_DISABLED", message: "not supported with this store" };
    const server = await fakeMlflow(
      () => points(3),
      ({ path }, response) => path.includes("/registered-models/") && json(response, refusal, 500),
    );
    const journal = memoryJournal();
    await readOnce(server, journal);
    server.close();
    assert.deepEqual(values(journal), [0, 1, 2]);
    assert.equal(server.seen.filter(({ path }) => path.includes("/registered-models/")).length, 1);
  });

  it("stays while MLflow is away, says so, and goes on when it is back", { timeout }, async () => {
    let away = true;
    const server = await fakeMlflow(
      () => points(3),
      (_, response) => away && text(response, 502, "bad gateway"),
    );
    const journal = memoryJournal();
    const source = follow(mlflowSource(options(server.url, { interval: "100ms" }), quick), journal);
    const ups = () =>
      journal.batches.flatMap(({ facts = [] }) => facts.filter(({ name }) => name === "up").map((up) => up.value));
    await source.until("a bad poll", () => source.polls.find(({ ok }) => !ok));
    assert.deepEqual(ups(), [0]);
    away = false;
    await source.until("the points", () => values(journal).length === 3);
    await source.until("a good poll", () => source.polls.at(-1)?.ok);
    away = true;
    await source.until("another bad poll", () => source.polls.at(-1)?.ok === false);
    await source.stop();
    server.close();
    assert.deepEqual(ups(), [0, 1, 0]);
    const bad = source.polls.find((poll) => !poll.ok);
    assert.ok(bad && !bad.ok && bad.reason.includes("502"));
  });
});
