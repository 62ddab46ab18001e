import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { authorizationOf } from "../../src/mlflow/authorization.ts";
import { maskSecrets, Secret, secret } from "../../src/model/secret.ts";
import { bed } from "../beds/bed.ts";
import { temporaryFolder } from "../beds/wait.ts";
import { options } from "./memory.ts";

const { skip, python } = await bed("mlflow");
const names = ["HOME", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"] as const;
const both = "[mlflow]\nmlflow_tracking_username = file user\nmlflow_tracking_password = file-word\n";
let before: Record<string, string | undefined> = {};
let home: Awaited<ReturnType<typeof temporaryFolder>>;

beforeEach(async () => {
  before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  home = await temporaryFolder();
  set({ HOME: home.path });
});

afterEach(async () => {
  set(before);
  await home.remove();
});

function set(variables: Readonly<Record<string, string | undefined>>): void {
  for (const name of names) {
    const value = variables[name];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

async function writeCredentials(text: string): Promise<void> {
  await mkdir(join(home.path, ".mlflow"), { recursive: true });
  await writeFile(join(home.path, ".mlflow/credentials"), text);
}

/** The header in clear. */
function sent(change: Parameters<typeof options>[1] = {}): string | undefined {
  const given = options("http://m:1", change);
  const header = authorizationOf(given, new URL(given.trackingUri));
  if (!header) return undefined;
  const [scheme, text = ""] = Secret.reveal(header).split(" ");
  return scheme === "Basic" ? `Basic ${Buffer.from(text, "base64")}` : `${scheme} ${text}`;
}

describe("credentials for MLflow", () => {
  it("come from the file of MLflow's client, each after its variable", async () => {
    assert.equal(sent(), undefined);
    await writeCredentials(both);
    assert.equal(sent(), "Basic file user:file-word");
    set({ HOME: home.path, MLFLOW_TRACKING_PASSWORD: "of variable" });
    assert.equal(sent(), "Basic file user:of variable");
    set({ HOME: home.path, MLFLOW_TRACKING_USERNAME: "other" });
    assert.equal(sent(), "Basic other:file-word");
  });

  it("of the file win over the variable of a token, but not over what the configuration says", async () => {
    await writeCredentials(both);
    set({ HOME: home.path, MLFLOW_TRACKING_TOKEN: "token" });
    assert.equal(sent(), "Basic file user:file-word");
    assert.equal(sent({ token: secret.literal("t", "mine") }), "Bearer mine");
    assert.equal(sent({ username: "u", password: secret.literal("p", "word") }), "Basic u:word");
    await writeCredentials("[mlflow]\nmlflow_tracking_username = alone\n");
    assert.equal(sent(), "Bearer token");
  });

  it("of the file are never shown", async () => {
    await writeCredentials(both);
    const given = options("http://m:1");
    const header = authorizationOf(given, new URL(given.trackingUri));
    assert.equal(String(header), "Basic <secret ~/.mlflow/credentials>");
    assert.ok(header && Secret.reveal(header));
    assert.equal(maskSecrets("it is file-word"), "it is <secret>");
  });

  it("of the address are never shown either, nor a token that stands there as the user", async () => {
    const login = (text: string) => authorizationOf(options("http://m:1"), new URL(text));
    const header = login("http://bob:word-of-bob@m:1");
    assert.equal(String(header), "Basic <secret trackingUri>");
    assert.equal(header && Secret.reveal(header), `Basic ${btoa("bob:word-of-bob")}`);
    const token = login("http://token-of-bob@m:1");
    assert.equal(String(token), "Basic <secret trackingUri>");
    assert.equal(token && Secret.reveal(token), `Basic ${btoa("token-of-bob:")}`);
    assert.equal(maskSecrets("no word-of-bob, no token-of-bob"), "no <secret>, no <secret>");
  });

  it("stand in the file as MLflow reads it", { skip, timeout: 120_000 }, async () => {
    const texts = [
      both,
      "[mlflow]\nMLFLOW_TRACKING_USERNAME: a\nmlflow_tracking_password: b = c # d\n",
      "; remark\n[DEFAULT]\nmlflow_tracking_username=all\n[other]\nmlflow_tracking_username=no\n[mlflow]\n# remark\nmlflow_tracking_password=100%%\n",
      "[mlflow]\nmlflow_tracking_username=\nmlflow_tracking_password=p\n",
      "[Mlflow]\nmlflow_tracking_username=u\nmlflow_tracking_password=p\n",
      '[mlflow]\r\n  mlflow_tracking_username = "u"\r\n  mlflow_tracking_password = ü;x\r\n',
      "",
    ];
    const script =
      "import json,os,sys\nfrom mlflow.utils import credentials as c\n" +
      "out=[]\nfor t in json.load(sys.stdin):\n  open(c._get_credentials_path(),'w',newline='').write(t)\n" +
      "  r=c.read_mlflow_creds()\n  out.append(f'Basic {r.username}:{r.password}' if r.username and r.password else None)\n" +
      "print(json.dumps(out))";
    await writeCredentials("");
    const run = promisify(execFile)(python, ["-c", script], { env: { ...process.env, PYTHONUTF8: "1" } });
    run.child.stdin?.end(JSON.stringify(texts));
    const expected: unknown = JSON.parse((await run).stdout);
    const actual: (string | null)[] = [];
    for (const text of texts) {
      await writeCredentials(text);
      actual.push(sent() ?? null);
    }
    assert.deepEqual(actual, expected);
  });
});
