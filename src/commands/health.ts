import process from "node:process";
import { defaultListen, type Listen, parseListen } from "../config/listen.ts";
import type { ResolvedConfig } from "../config/resolved.ts";
import { ConfigError, UsageError, WorkError } from "../model/errors.ts";
import type { Log } from "../model/log.ts";
import { healthy, reachableUrl } from "../server/reachable.ts";
import { commonArgs, defineMlmonCommand, listenArg, print } from "./command.ts";

export default defineMlmonCommand({
  name: "health",
  description: "Asks a running mlmon on this machine whether it is healthy, for a container's health check",
  args: { ...commonArgs, ...listenArg },
  async run({ args, config, log, signal }) {
    const url = `${reachableUrl(given(args.listen) ?? (await configured(config, log)))}/-/healthy`;
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]) }).catch(
      () => undefined,
    );
    if (!answer?.ok) throw new WorkError(`No healthy mlmon at ${url}${answer ? `: it answers ${answer.status}` : ""}`);
    // Prometheus and Pushgateway answer at the same path.
    if ((await answer.text()) !== healthy) throw new WorkError(`No mlmon at ${url}: something else answers there`);
    await print(healthy);
  },
});

/** The address of the flag or the variable, for which no configuration needs to be loaded. */
function given(flag: string | undefined): Listen | undefined {
  const address = flag || process.env.MLMON_LISTEN?.trim();
  if (!address) return undefined;
  const listen = parseListen(address);
  if (listen) return listen;
  throw new UsageError(`Cannot use --listen "${address}": expected host:port such as "127.0.0.1:9890"`);
}

/** A file that was spoilt under a running mlmon does not make that one unhealthy. */
async function configured(load: (secrets: "ignore") => Promise<ResolvedConfig>, log: Log): Promise<Listen> {
  try {
    return (await load("ignore")).server;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { message } = error;
    log.warn(message);
    return defaultListen;
  }
}
