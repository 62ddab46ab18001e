import process from "node:process";
import { parseListen } from "../config/listen.ts";
import { UsageError, WorkError } from "../model/errors.ts";
import { reachableUrl } from "../server/reachable.ts";
import { commonArgs, defineMlmonCommand, listenArg, print } from "./command.ts";

export default defineMlmonCommand({
  name: "health",
  description: "Asks a running mlmon on this machine whether it is healthy, for a container's health check",
  args: { ...commonArgs, ...listenArg },
  async run({ args, signal }) {
    const address = args.listen || process.env.MLMON_LISTEN?.trim() || "127.0.0.1:9890";
    const listen = parseListen(address);
    if (!listen) throw new UsageError(`Cannot use --listen "${address}": expected host:port such as "127.0.0.1:9890"`);
    const url = `${reachableUrl(listen)}/-/healthy`;
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5000)]) }).catch(
      () => undefined,
    );
    if (!answer?.ok) throw new WorkError(`No healthy mlmon at ${url}${answer ? `: it answers ${answer.status}` : ""}`);
    await print("healthy\n");
  },
});
