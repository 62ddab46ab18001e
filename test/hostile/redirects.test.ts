import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import * as v from "valibot";
import { pramathus } from "../../plugins/pramathus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { classify } from "../../src/delivery/classify.ts";
import { createSender } from "../../src/delivery/send.ts";
import { createClient } from "../../src/mlflow/client.ts";
import { MlflowError } from "../../src/mlflow/mlflow-error.ts";
import { defineHttpSink } from "../../src/model/define.ts";
import { secret } from "../../src/model/secret.ts";
import { makeBatch, makeSamples } from "../fixtures/samples.ts";
import { options } from "../mlflow/memory.ts";
import { localServer } from "../mlflow/proxy.ts";
import { httpSink } from "../plugins/make-sink.ts";

const password = "s3cret-of-the-redirect";
/** Answers as MLflow and every receiver would like it: whoever follows is glad. */
const trap = await localServer((_, response) => void response.writeHead(200).end("{}"));
let target = "";
let status = 0;
const door = await localServer((_, response) => {
  response.writeHead(status, { location: target, "set-cookie": "session=1" }).end();
});
after(() => {
  trap.close();
  door.close();
});

const targets: Readonly<Record<string, string>> = {
  "another port": `${trap.url}/next`,
  "another host": `${trap.url.replace("127.0.0.1", "localhost")}/next`,
  "another scheme": `${trap.url.replace("http", "https")}/next`,
  "another host, without a scheme": trap.url.replace("http://", `//me:${password}@`),
  "another host, with a user part and a query": `${trap.url.replace("//", `//me:${password}@`)}/next?key=${password}`,
  "its own": "/elsewhere",
};
const statuses = [301, 302, 303, 307, 308];
const named = /redirects to (https?:\/\/(127\.0\.0\.1|localhost):\d+)?\/(next|elsewhere)?(:| \()/;

const own = defineHttpSink("own", v.strictObject({}), () => ({
  render: () => [
    { method: "POST", url: `${door.url}/in?key=${password}`, headers: { "x-api-key": key, cookie: key }, body: "x" },
  ],
}));
const key = secret.literal("key", password);
const sinks = {
  pramathus: pramathus({ endpoint: door.url, apiKey: key }),
  pushgateway: pushgateway({ endpoint: door.url, username: "me", password: key }),
  "a user's sink": own(),
};

describe("a redirect", () => {
  for (const [place, location] of Object.entries(targets)) {
    for (const [name, entry] of Object.entries(sinks)) {
      it(`to ${place} is not followed for ${name}, and says where to go`, async () => {
        target = location;
        const sink = httpSink(entry);
        const check = sink.check?.();
        for (const request of [...sink.render(makeBatch(makeSamples(2))), ...(check ? [check] : [])]) {
          for (status of statuses) {
            const before = door.seen.length;
            const signal = new AbortController().signal;
            const sent = await createSender({ version: "1" })(request, { timeoutMs: 5000, signal });
            assert.ok(sent.kind === "answered");
            const outcome = await (sink.classify ?? classify)(sent.response);
            assert.ok(outcome.kind === "rejected", outcome.kind);
            assert.match(outcome.reason, named);
            assert.match(outcome.reason, /give the final address$/);
            assert.ok(!outcome.reason.includes(password), outcome.reason);
            assert.equal(door.seen.length, before + 1);
          }
        }
        assert.deepEqual(trap.seen, []);
      });
    }

    it(`to ${place} is not followed for MLflow, and says where to go`, async () => {
      target = location;
      const logins = [{ token: password }, { username: "me", password }];
      for (const login of logins) {
        const client = createClient(options(door.url, login), { attempts: 1 });
        client.useWorkspace("team");
        const calls = [
          () => client.get("/a", [], v.object({})),
          () => client.post("/b", "{}", v.object({})),
          () => client.text("/version"),
        ];
        for (status of statuses) {
          for (const call of calls) {
            const before = door.seen.length;
            await assert.rejects(call(), (error: unknown) => {
              assert.ok(error instanceof MlflowError, String(error));
              assert.match(error.message, named);
              assert.match(error.message, /set trackingUri to where MLflow itself answers$/);
              assert.ok(!error.message.includes(password), error.message);
              return true;
            });
            assert.equal(door.seen.length, before + 1);
          }
        }
      }
      assert.deepEqual(trap.seen, []);
    });
  }
});
