import { pramathus } from "../../plugins/pramathus.ts";
import { prometheus } from "../../plugins/prometheus.ts";
import { pushgateway } from "../../plugins/pushgateway.ts";
import { defineConfig } from "../config/config.ts";
import { parseListen } from "../config/listen.ts";
import { authVariable } from "../config/own-variables.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { mlflow } from "../mlflow/mlflow.ts";
import { type Issue, UsageError, WorkError } from "../model/errors.ts";
import { secret } from "../model/secret.ts";
import { serve } from "../runtime/serve.ts";
import { demoKey } from "./receivers.ts";

/** Where the parts of the demo are. */
export interface DemoAddresses {
  readonly trackingUri: string;
  /** Where both receivers are. */
  readonly receiver: string;
  readonly stateDir: string;
  readonly listen: string;
}

/** What a user would write, with the addresses of the demo. Throws `ConfigError` for a listen that needs a token. */
export async function demoConfig({ trackingUri, receiver, stateDir, listen }: DemoAddresses): Promise<ResolvedConfig> {
  const config = defineConfig({
    sources: [mlflow({ trackingUri, interval: "2s" })],
    sinks: [
      prometheus(),
      pushgateway({ endpoint: receiver }),
      pramathus({ endpoint: `${receiver}/api/metrics`, apiKey: demoKey }),
    ],
  });
  const token = process.env.MLMON_TOKEN?.trim() ? secret.env("MLMON_TOKEN") : undefined;
  const issues: Issue[] = [];
  const auth = authVariable(process.env, issues);
  return resolveConfig(await config, { origin: "demo", secrets: "required", stateDir, listen, token, auth, issues });
}

/**
 * Where the demo's status server listens: as `--listen` (or `--listen=…`) among the words says, else `MLMON_LISTEN`,
 * else the usual address, for which another port stands in when it is taken. Throws `UsageError`.
 */
export async function demoListen(words: readonly string[], env: NodeJS.ProcessEnv): Promise<DemoListen> {
  const asked = listenFlag(words) ?? env.MLMON_LISTEN?.trim();
  if (asked) {
    if (!parseListen(asked)) throw new UsageError(`Cannot listen on "${asked}": expected host:port`);
    return { listen: asked, isReplaced: false };
  }
  return (await isFree(usual)) ? { listen: usual, isReplaced: false } : { listen: "127.0.0.1:0", isReplaced: true };
}

/** Where the status server of the demo listens. */
export interface DemoListen {
  readonly listen: string;
  /** The usual port is in use. */
  readonly isReplaced: boolean;
}

const usual = "127.0.0.1:9890";

function listenFlag(words: readonly string[]): string | undefined {
  const [flag = "", value] = words;
  if (flag === "") return undefined;
  const joined = /^--listen=(.*)$/.exec(flag)?.[1];
  const given = joined ?? value;
  const count = joined === undefined ? 2 : 1;
  if (!flag.startsWith("--listen") || words.length > count) {
    throw new UsageError(`The demo knows no "${words.join(" ")}": expected --listen HOST:PORT or nothing`);
  }
  if (!given) throw new UsageError('The flag "--listen" needs a value: --listen HOST:PORT');
  return given;
}

async function isFree(address: string): Promise<boolean> {
  const { host = "", port = 0 } = parseListen(address) ?? {};
  try {
    await (await serve(() => new Response(), { hostname: host, port })).stop();
    return true;
  } catch (error) {
    if (error instanceof WorkError) return false;
    throw error;
  }
}
