import { UsageError } from "../model/errors.ts";
import { parseDuration } from "../model/option.ts";
import { runService } from "../pipeline/service.ts";
import { version } from "../runtime/version.ts";
import { commonArgs, defineMlmonCommand, listenArg, stateArg } from "./command.ts";
import { showProgress } from "./progress.ts";

const drainArg = {
  drain: {
    type: "string",
    description: "How long sinks may deliver what waits once it is stopped; 10s by default",
    valueHint: "10s",
  },
} as const;

export default defineMlmonCommand({
  name: "run",
  description: "Reads and delivers until stopped, with the status server",
  args: { ...commonArgs, ...stateArg, ...listenArg, ...drainArg },
  async run({ args, config: load, log, signal }) {
    const drainMs = parseDuration(args.drain ?? "10s");
    if (drainMs === undefined) {
      throw new UsageError(`Cannot use --drain "${args.drain}": expected a duration such as "10s" or "1m"`);
    }
    const config = await load("required");
    await runService({
      config,
      log,
      signal,
      drainMs,
      onProgress: showProgress(),
      onStarted({ url, stateDir }) {
        log.info("mlmon runs", { version, config: config.origin, status: url, state: stateDir });
        signal.addEventListener("abort", () => log.info("mlmon stops"), { once: true });
      },
    });
    log.info("mlmon has stopped");
  },
});
